import { describe, expect, test } from '@jest/globals';
import { observe } from '../../src/discovery/observe.js';
import { initialState } from '../../src/discovery/state.js';
import { ExporterError } from '../../src/kernel/errors.js';
import { seconds } from '../../src/model/time.js';
import { formatCursor, startCursor } from '../../src/pipeline/cursor.js';
import {
  atMs,
  changes,
  error,
  listed,
  listFailed,
  type ObserveRule,
  rowOf,
  rules,
  s1,
  seen,
  steady,
  stopped,
  summary,
  feedEnd,
} from '../support/observations.js';

const day = seconds(86_400);
const nothing = { rows: undefined, token: undefined, deltas: undefined };
const atFirst = initialState({ since: {}, facts: {} });
const doneAt = (endedAt: bigint) => ({ ...rowOf(true), cursor: formatCursor({ ...startCursor, endedAt }) });

const lists: readonly ObserveRule[] = [
  {
    rule: 'a first list stores where the sinks start, the rows, and the token that was fetched before it',
    before: atFirst,
    observation: listed({ sessions: [s1], feedEnd: feedEnd('t1'), startedAt: 0n }),
    expected: { rows: ['s1 pending'], token: 't1', deltas: ['contoso'], wake: ['open'], feed: 'following' },
  },
  { rule: 'a list without news stores nothing', observation: listed(), expected: { ...nothing, wake: ['open'] } },
  {
    rule: 'a session that every sink has a row for stores nothing',
    observation: listed({ sessions: [s1], stored: [rowOf(false)] }),
    expected: nothing,
  },
  {
    rule: 'a stopped session that looks as before stays done',
    before: { snapshots: seen('2') },
    observation: listed({ sessions: [stopped], stored: [rowOf(true)] }),
    expected: { ...nothing, wake: ['open'] },
  },
  {
    rule: 'a stopped session that has changed is read again',
    before: { snapshots: seen('1') },
    observation: listed({ sessions: [stopped], stored: [rowOf(true)] }),
    expected: { rows: ['s1 pending'], wake: ['open', 's1'] },
  },
  {
    rule: 'a session that is open again is no longer done',
    observation: listed({ sessions: [s1], stored: [rowOf(true)] }),
    expected: { rows: ['s1 pending'] },
  },
  {
    rule: 'a done session that has ended again since is read again',
    observation: listed({ sessions: [stopped], stored: [doneAt(1n)] }),
    expected: { rows: ['s1 pending'], wake: ['open'] },
  },
  {
    rule: 'a done session that has the end it was done with stays done',
    observation: listed({ sessions: [stopped], stored: [doneAt(2n)] }),
    expected: nothing,
  },
  {
    rule: 'a session that ended within the grace time before a sink began is stored',
    before: { since: { metrics: 12n } },
    under: { grace: 10n },
    observation: listed({ sessions: [stopped], startedAt: 20n }),
    expected: { rows: ['s1 pending'] },
  },
  {
    rule: 'a session that ended before the grace time is history',
    before: { since: { metrics: 13n } },
    under: { grace: 10n },
    observation: listed({ sessions: [stopped], startedAt: 20n }),
    expected: nothing,
  },
  {
    rule: 'a sink that is new to a server begins where its history does, by the time at which reading began',
    under: { sinks: ['metrics', 'logs'], beginAt: (_, now) => now - 5n },
    observation: listed(),
    expected: { since: { metrics: 0n, logs: 2n } },
  },
  {
    rule: 'a start that lies ahead, because the clock of the server was set back, is an interval before now',
    before: { since: { metrics: day + 7n } },
    observation: listed(),
    expected: { since: { metrics: 7n - seconds(30) } },
  },
  {
    rule: 'a start more than a day ahead stays: the clock is wrong now',
    before: { since: { metrics: day + 8n } },
    observation: listed(),
    expected: nothing,
  },
  {
    rule: 'an open session shortens the interval',
    observation: listed({ sessions: [s1], stored: [rowOf(false)] }),
    expected: { poll: 'open sessions at 104000: feed is followed' },
  },
  {
    rule: 'gaps of the feed are counted with the next commit',
    before: { gaps: [0, 3] },
    observation: listed(),
    expected: { deltas: ['missed 0', 'missed 3'] },
  },
  {
    rule: 'without a feed each interval reads a list',
    before: { feed: { kind: 'none', waitSeconds: 25 } },
    observation: listed({ feedEnd: { kind: 'none' } }),
    expected: { feed: 'none', poll: 'list at 129000: feed is not followed', ask: 'Infinity: no token' },
  },
  {
    rule: 'a feed that refuses its end is asked again after ten minutes, with the list',
    before: { feed: { kind: 'none', waitSeconds: 25 } },
    observation: listed({ feedEnd: { kind: 'refused', error } }),
    expected: { feed: 'refused', poll: 'list at 129000: feed is not followed', ask: 'Infinity: no token' },
  },
  {
    rule: 'the stored token of an earlier process is tried once there is a list',
    before: initialState({ since: { metrics: 0n }, facts: { changeToken: 't0' } }),
    observation: listed(),
    expected: { feed: 'starting', ask: '-Infinity: token from an earlier process' },
  },
  {
    rule: 'a new token is used at once after the list that it was fetched before',
    before: { feed: { kind: 'none', waitSeconds: 25 } },
    observation: listed({ feedEnd: feedEnd('t1') }),
    expected: { token: 't1', feed: 'following', ask: '100000: new token' },
  },
  {
    rule: 'the feed is not asked until everything has been listed',
    before: { watermark: undefined },
    observation: listFailed(),
    expected: { feed: 'following', ask: 'Infinity: a list comes first' },
  },
  {
    rule: 'a list that failed alone has the open sessions read all the same',
    observation: listFailed({ error: new ExporterError('decode', 'Could not list restore sessions') }),
    expected: { ...nothing, wake: ['open'] },
  },
  {
    rule: 'a list that failed with the whole server has nothing read',
    observation: listFailed(),
    expected: { ...nothing, wake: undefined },
  },
  {
    rule: 'a failed list is repeated after the interval',
    before: { watermark: undefined },
    observation: listFailed(),
    expected: { ...nothing, wake: undefined, poll: 'list at 129000: not everything is listed' },
  },
  {
    rule: 'a list of everything counts as one from its start',
    before: { listedAllMs: 5 },
    observation: listed({ all: true }),
    expected: { listedAllMs: 99_000 },
  },
  {
    rule: 'a list of the window does not count as one of everything',
    before: { listedAllMs: 5 },
    observation: listed(),
    expected: { listedAllMs: 5 },
  },
  {
    rule: 'a failed list of everything is repeated an hour later, after lists of the window',
    before: { listedAllMs: -Infinity },
    observation: listFailed(),
    expected: { listedAllMs: 99_000 - 23 * 3_600_000 },
  },
  {
    rule: 'a failed list of the window leaves the next list of everything as it was',
    before: { listedAllMs: 5 },
    observation: listFailed(),
    expected: { listedAllMs: 5 },
  },
  {
    rule: 'after a list the feed is complete again',
    before: { incomplete: true },
    observation: listed(),
    expected: { poll: 'open sessions at 129000: feed is followed' },
  },
  {
    rule: 'a throttled list is repeated no sooner than the server asks',
    before: { watermark: undefined },
    observation: listFailed({ error: new ExporterError('throttled', 'Too many requests', { retryAfterMs: 60_000 }) }),
    expected: { poll: 'list at 160000: not everything is listed' },
  },
  {
    rule: 'a token that came before a list that failed is dropped',
    before: { watermark: undefined, feed: { kind: 'none', waitSeconds: 25 } },
    observation: listFailed({ feedEnd: feedEnd('t1') }),
    expected: { feed: 'none', ask: 'Infinity: no token' },
  },
  {
    rule: 'a refusal that came before a list that failed counts',
    before: { watermark: undefined, feed: { kind: 'none', waitSeconds: 25 } },
    observation: listFailed({ feedEnd: { kind: 'refused', error } }),
    expected: { feed: 'refused' },
  },
  {
    rule: 'an interval has the open sessions read, whatever the feed says',
    observation: { kind: 'interval passed', stored: [], atMs },
    expected: { ...nothing, wake: ['open'], poll: 'open sessions at 130000: feed is followed' },
  },
  {
    rule: 'a list is due when the reconcile interval has passed',
    observation: { kind: 'interval passed', stored: [], atMs: 870_000 },
    expected: { poll: 'list at 900000: reconcile interval has passed' },
  },
];

describe('observe', () => {
  test.each(lists)('$rule', ({ before, under, observation, expected }) => {
    const step = observe({ ...steady, ...before }, observation, { ...rules, ...under });
    expect(summary(step)).toMatchObject(expected);
  });

  test('a list makes candidates of what the feed has not reported, and only while the feed is followed', () => {
    const list = listed({ sessions: [s1], gone: new Set(['s2']) });
    expect([...observe(steady, list, rules).state.candidates.ids]).toEqual(['s1', 's2']);
    expect([
      ...observe({ ...steady, feed: { kind: 'none', waitSeconds: 25 } }, list, rules).state.candidates.ids,
    ]).toEqual([]);
  });

  test('a list that shows an unread session has read it, and the feed did not miss that', () => {
    const { state } = observe({ ...steady, unread: new Set(['s1', 's2']) }, listed({ sessions: [s1] }), rules);
    expect([[...state.unread], [...state.candidates.ids]]).toEqual([['s2'], []]);
  });

  test('leaves the state that it is given as it was', () => {
    const before = { ...steady, gaps: [1], open: new Map([['s2', s1]]), unread: new Set(['s3']) };
    const copy = structuredClone({ gaps: before.gaps, open: before.open, unread: before.unread, feed: before.feed });
    observe(before, changes({ deleted: new Set(['s2']) }, { sessions: [s1] }), rules);
    expect(before).toMatchObject(copy);
  });
});
