import { describe, expect, test } from '@jest/globals';
import { scanList } from '../../src/discovery/list-scan.js';
import { fakeClock } from '../support/fake-clock.js';
import { ReadsById } from '../../src/discovery/reads-by-id.js';
import { checkKept, sessionsOfInterest } from '../../src/discovery/interest.js';
import { observe } from '../../src/discovery/observe.js';
import { SessionSnapshots } from '../../src/discovery/session-snapshots.js';
import { changes, listed, rules, steady, summary } from '../support/observations.js';
import type { Session } from '../../src/model/session.js';
import type { CursorRow, SessionFilter } from '../../src/pipeline/ports.js';
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
      { source, byId, clock: { monotonic: () => atMs }, isKept: async page => page },
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

const stored = (rows: readonly CursorRow[]) => ({ now: () => 200n, rows: async () => rows });
const ended = (id: string, endedAt: bigint, organization = 'contoso') =>
  session({ id, organization, open: false, createdAt: 1n, endedAt });
const keptOf = async (keep: SessionFilter, sessions: readonly Session[]) => (await keep(sessions)).map(({ id }) => id);

const done = (id: string, end: string): CursorRow => ({
  sink: 'metrics',
  session: id,
  createdAt: 1n,
  done: true,
  cursor: `0;Success=1;result;${end}`,
});

describe('a list keeps', () => {
  test('what is open, known or new to a sink, and one session for each new series', async () => {
    const state = { ...steady, since: { metrics: 100n }, snapshots: seenBefore('1'), unread: new Set(['unread']) };
    const keep = sessionsOfInterest(state, rules, stored([]));
    const page = [session({ id: 'open' }), ended('s0', 2n), ended('unread', 2n), ended('new', 100n), ended('old', 99n)];
    expect(await keptOf(keep, page)).toEqual(['open', 's0', 'unread', 'new']);
    const others = [ended('first', 2n, 'fabrikam'), ended('second', 2n, 'fabrikam')];
    expect(await keptOf(keep, others)).toEqual(['first']);
  });

  test('of those that every sink is done with, what has ended again; and 10,000 others while there is a feed', async () => {
    const rows = [done('again', '50'), done('done', '100'), { ...done('pending', '100'), done: false }];
    const page = [ended('again', 100n), ended('done', 100n), ended('pending', 100n), session({ id: 'done-open' })];
    const withoutFeed = { ...steady, feed: { kind: 'none', waitSeconds: 5 } as const };
    expect(await keptOf(sessionsOfInterest(withoutFeed, rules, stored(rows)), page)).toEqual([
      'again',
      'pending',
      'done-open',
    ]);
    const many = Array.from({ length: 10_001 }, (_, n) => String(n));
    const all = sessionsOfInterest(steady, rules, stored(many.map(id => done(id, '100'))));
    expect((await all(many.map(id => ended(id, 100n)))).length).toBe(10_000);
  });

  test.each([
    ['5000 open restore sessions', 5_001, true],
    ['25000 restore sessions that are not read to their end', 25_001, false],
  ])('no more than %s', async (words, count, open) => {
    const keep = sessionsOfInterest(steady, rules, stored([]));
    const page = Array.from({ length: count }, (_, n) => ({ ...ended(String(n), 100n), open }));
    await expect(keep(page.slice(1))).resolves.toHaveLength(count - 1);
    await expect(keep(page)).rejects.toMatchObject({
      reason: 'rejected',
      message: `Could not follow more than ${words}`,
    });
  });
});

test('no more than 25000 sessions that the feed has reported wait to be read', () => {
  const unread = new Set(Array.from({ length: 25_001 }, (_, n) => String(n)));
  expect(() => checkKept({ open: new Map(), unread }, 0)).toThrow('more than 25000 restore sessions that are not read');
  unread.delete('0');
  expect(() => checkKept({ open: new Map(), unread }, 0)).not.toThrow();
});
