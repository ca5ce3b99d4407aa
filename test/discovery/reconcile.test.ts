import { expect, test } from '@jest/globals';
import { scanList } from '../../src/discovery/list-scan.js';
import { fakeClock } from '../support/fake-clock.js';
import { ReadsById } from '../../src/discovery/reads-by-id.js';
import { observe, sessionsOfInterest } from '../../src/discovery/observe.js';
import { SessionSnapshots } from '../../src/discovery/session-snapshots.js';
import { changes, listed, rules, steady, summary } from '../support/observations.js';
import { fakeServer, second, session } from '../support/server-run.js';
import { ExporterError } from '../../src/kernel/errors.js';

/** Open sessions s0, s1, ... that have been seen with these eTags. */
const seenBefore = (...eTags: readonly string[]): SessionSnapshots =>
  new SessionSnapshots().with(
    new Map(eTags.map((eTag, index) => [`s${String(index)}`, { eTag, open: true, read: true }])),
  );

const stopped = (id: string, eTag: string) => session({ id, eTag, open: false });

test('candidates are what a list shows to be new, changed or gone, and nothing else', () => {
  const sessions = [
    session({ id: 's0', eTag: '1' }),
    session({ id: 's1', eTag: '2' }),
    session({ id: 's2', eTag: '1', open: false }),
    session({ id: 'new', eTag: '1' }),
  ];
  const candidates = { ids: new Set(['earlier']), listedMs: 1 };
  const before = { ...steady, snapshots: seenBefore('1', '1', '1', '1'), candidates };
  const { state } = observe(before, listed({ sessions, gone: new Set(['s3']), atMs: 10 }), rules);
  expect([...state.candidates.ids]).toEqual(['earlier', 's1', 's2', 'new', 's3']);
  expect(state.candidates.listedMs).toBe(10);
});

test.each([
  { askedMs: 9, reported: ['a'], left: ['b', 'c'], missed: [], rule: 'a request begun before the list was read' },
  { askedMs: 10, reported: ['a'], left: [], missed: ['missed 2'], rule: 'a request begun after the list was read' },
  { askedMs: 10, reported: ['a', 'b', 'c', 'd'], left: [], missed: [], rule: 'a feed that reports all' },
])('candidates count as missed only after the list: $rule', ({ askedMs, reported, left, missed }) => {
  const before = { ...steady, candidates: { ids: new Set(['a', 'b', 'c']), listedMs: 10 } };
  const updated = new Map(reported.map(id => [id, '1']));
  const step = observe(before, changes({ updated }, { askedMs }), rules);
  expect([...step.state.candidates.ids]).toEqual(left);
  expect(summary(step).deltas).toEqual(missed);
});

test('a stopped session that is seen for the first time, or as it was, has not changed', () => {
  const snapshots = seenBefore('1', '1', '1').with(new Map([['s0', { eTag: '1', open: false, read: true }]]));
  const sessions = [stopped('s0', '1'), stopped('s1', '2'), stopped('new', '1'), session({ id: 's2', eTag: '2' })];
  const step = observe({ ...steady, snapshots }, listed({ sessions }), rules);
  expect(summary(step).wake).toEqual(['open', 's1']);
});

test('everything is listed once a day, and an hour after such a list has failed', async () => {
  const day = 24 * 3_600_000;
  const asked: (bigint | undefined)[] = [];
  const source = {
    ...fakeServer(),
    sessions: async (from: bigint | undefined) => {
      asked.push(from);
      return { sessions: [], rejects: [] };
    },
  };
  const byId = new ReadsById({ source, clock: fakeClock(), random: () => 0 });
  const before = { ...steady, watermark: 1_000n * second, listedAllMs: 0 };
  const scanAt = async (state: typeof before, atMs: number) =>
    scanList(
      { source, byId, clock: { monotonic: () => atMs }, isKept: () => true },
      state,
      new AbortController().signal,
    );
  expect([await scanAt(before, day - 1), await scanAt(before, day)].map(({ all }) => all)).toEqual([false, true]);
  expect(asked).toEqual([700n * second, undefined]);
  const error = new ExporterError('timeout', 'Could not list restore sessions: no answer in 60000 ms');
  const failed = { kind: 'list failed', error, startedMs: day, feedEnd: undefined, atMs: day, stored: [] } as const;
  const { listedAllMs } = observe(before, failed, rules).state;
  const after = { ...before, listedAllMs };
  expect((await scanAt(after, day + 3_600_000 - 1)).all).toBe(false);
  expect((await scanAt(after, day + 3_600_000)).all).toBe(true);
});

test.each([
  { reason: 'server', connected: false, open: true },
  { reason: 'timeout', connected: false, open: true },
  { reason: 'network', connected: true, open: true },
  { reason: 'network', connected: false, open: false },
  { reason: 'config', connected: false, open: false },
] as const)('a list that fails with $reason, connected: $connected: open sessions are read: $open', failure => {
  const { reason, connected, open } = failure;
  const error = new ExporterError(reason, 'Could not list restore sessions', {
    details: connected ? { connected } : {},
  });
  const failed = { kind: 'list failed', error, startedMs: 0, feedEnd: undefined, atMs: 0, stored: [] } as const;
  expect(observe(steady, failed, rules).wake?.open ?? false).toBe(open);
});

test('a list keeps what is open, known or new to a sink, and one session for each new series', () => {
  const state = { ...steady, since: { metrics: 100n }, snapshots: seenBefore('1'), unread: new Set(['unread']) };
  const isKept = sessionsOfInterest(state, rules, () => 200n);
  const ended = (id: string, endedAt: bigint, organization = 'contoso') =>
    isKept(session({ id, organization, open: false, createdAt: 1n, endedAt }));
  expect(isKept(session({ id: 'open' }))).toBe(true);
  expect([ended('s0', 2n), ended('unread', 2n), ended('new', 100n), ended('old', 99n)]).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect([ended('first', 2n, 'fabrikam'), ended('second', 2n, 'fabrikam')]).toEqual([true, false]);
});
