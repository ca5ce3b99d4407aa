import { describe, expect, test } from '@jest/globals';
import type { FeedState } from '../../src/discovery/feed-state.js';
import { observe } from '../../src/discovery/observe.js';
import { ExporterError } from '../../src/kernel/errors.js';
import {
  askedAgain,
  atMs,
  changes,
  error,
  failed,
  following,
  type ObserveRule,
  rowOf,
  rules,
  s1,
  steady,
  stopped,
  summary,
  unavailable,
} from '../support/observations.js';

const nothing = { rows: undefined, token: undefined, deltas: undefined };
const candidate = (id: string) => ({ ids: new Set([id]), listedMs: 75_000 });

const rows: readonly ObserveRule[] = [
  {
    rule: 'a reported session is stored with the token, and only it is woken',
    observation: changes({ updated: new Map([['s1', '2']]), entries: 1 }, { sessions: [s1] }),
    expected: { rows: ['s1 pending'], token: 't2', wake: ['s1'], ask: '75500: sessions changed' },
  },
  {
    rule: 'a done session that is reported is read again',
    observation: changes({ updated: new Map([['s1', '2']]) }, { sessions: [stopped], stored: [rowOf(true)] }),
    expected: { rows: ['s1 pending'], wake: ['s1'] },
  },
  {
    rule: 'the token is withheld while a reported session is unread',
    observation: changes(
      {
        updated: new Map([
          ['s1', '2'],
          ['s2', '1'],
        ]),
      },
      { sessions: [s1], unread: ['s2'] },
    ),
    expected: { rows: ['s1 pending'], token: undefined },
  },
  {
    rule: 'while a reported session is unread, each interval reads a list',
    before: { unread: new Set(['s2']) },
    observation: changes({}, { unread: ['s2'] }),
    expected: { poll: 'list at 30000: reported sessions are unread' },
  },
  {
    rule: 'the sessions that are unread are those of the last answer',
    before: { unread: new Set(['s1']) },
    observation: changes({ updated: new Map([['s2', '1']]) }, { sessions: [s1], unread: ['s2'] }),
    expected: { unread: ['s2'] },
  },
  {
    rule: 'a session that was unread is stored, with the token that was withheld',
    before: { unread: new Set(['s1']) },
    observation: askedAgain({ sessions: [s1] }),
    expected: { rows: ['s1 pending'], token: 't1', wake: ['s1'], poll: 'open sessions at 5000: feed is followed' },
  },
  {
    rule: 'the token stays withheld while another session is unread',
    before: { unread: new Set(['s1', 's2']) },
    observation: askedAgain({ sessions: [s1], unread: ['s2'] }),
    expected: { rows: ['s1 pending'], token: undefined, wake: ['s1'], unread: ['s2'] },
  },
  {
    rule: 'a deleted session is woken, so that the sinks find it gone',
    observation: changes({ deleted: new Set(['s1']), entries: 1 }),
    expected: { wake: ['s1'], ask: '75500: sessions changed' },
  },
  {
    rule: 'a token alone is not stored within a minute',
    before: { storedMs: 40_001 },
    observation: changes({ entries: 1 }),
    expected: { ...nothing, ask: '76000: other objects changed' },
  },
  {
    rule: 'a token alone is stored after a minute',
    before: { storedMs: 40_000 },
    observation: changes({ entries: 1 }),
    expected: { rows: [], token: 't2', deltas: [] },
  },
  {
    rule: 'the same token is not stored again',
    observation: changes({ token: 't1' }),
    expected: { ...nothing, ask: '75000: long poll ended' },
  },
  {
    rule: 'a full answer is followed by the next request within a tenth of a second',
    observation: changes({ entries: 10_000, more: true }),
    expected: { ask: '75100: more is waiting' },
  },
  {
    rule: 'the same answer again is slowed down',
    observation: changes({ token: 't1', entries: 1, more: true }),
    expected: { ask: '80000: same answer again' },
  },
  {
    rule: 'an empty answer that comes early is slowed down',
    observation: changes({ token: 't1' }, { askedMs: 99_000 }),
    expected: { ask: '104000: empty answer came early' },
  },
  {
    rule: 'undecodable changes count as a gap and have a list read at once',
    observation: changes({ entries: 1, unreadable: 1 }),
    expected: { deltas: ['missed 0'], feed: 'following', poll: 'list at 0: feed is incomplete' },
  },
  {
    rule: 'after undecodable changes a list is due, whatever the feed answers next',
    before: { incomplete: true },
    observation: changes(),
    expected: { poll: 'list at 30000: feed is incomplete' },
  },
  {
    rule: 'a candidate counts as missed after a request begun after the list',
    before: { candidates: candidate('s9') },
    observation: changes(),
    expected: { deltas: ['missed 1'] },
  },
  {
    rule: 'a candidate does not count after a request begun before the list was read',
    before: { candidates: { ids: new Set(['s9']), listedMs: 75_001 }, storedMs: atMs },
    observation: changes(),
    expected: nothing,
  },
  {
    rule: 'a candidate that the feed reports was not missed',
    before: { candidates: candidate('s1'), storedMs: atMs },
    observation: changes({ updated: new Map([['s1', '2']]) }),
    expected: nothing,
  },
  {
    rule: 'a feed that fails has a list read at once, and goes on from its token',
    observation: unavailable(failed),
    expected: { feed: 'failing', poll: 'list at 0: feed is not followed', ask: '101000: failed' },
  },
  {
    rule: 'a feed that goes on failing does not hurry the list',
    before: { feed: { kind: 'failing', untilMs: 0, failures: 1, error, token: following.token, waitSeconds: 25 } },
    observation: unavailable({ ...failed, jitter: 0.9 }),
    expected: { feed: 'failing', poll: 'list at 30000: feed is not followed', ask: '103600: failed' },
  },
  {
    rule: 'a feed is asked no sooner than the server says',
    observation: unavailable({ ...failed, error: new ExporterError('throttled', 'Wait', { retryAfterMs: 9_000 }) }),
    expected: { ask: '109000: failed' },
  },
  {
    rule: 'an outdated token has everything listed at once',
    observation: unavailable({ kind: 'outdated' }),
    expected: { ...nothing, feed: 'refused', poll: 'list at 0: not everything is listed', ask: 'Infinity: no token' },
  },
];

describe('observe', () => {
  test.each(rows)('$rule', ({ before, under, observation, expected }) => {
    const step = observe({ ...steady, ...before }, observation, { ...rules, ...under });
    expect(summary(step)).toMatchObject(expected);
  });

  test.each([
    { rule: 'a token that worked before is replaced at once', fresh: false, untilMs: atMs },
    { rule: 'a feed that refuses a fresh token is left alone for ten minutes', fresh: true, untilMs: atMs + 600_000 },
  ])('$rule', ({ fresh, untilMs }) => {
    const feed: FeedState = { ...following, token: { value: 't1', fresh } };
    const { state } = observe({ ...steady, feed }, unavailable({ kind: 'refused', error }), rules);
    expect(state).toMatchObject({ feed: { kind: 'refused', untilMs }, gaps: [0], watermark: undefined });
  });

  test.each([
    { rule: 'a wait that was cut off is halved', ranMs: 2_000, waitSeconds: 12 },
    { rule: 'a wait that failed at once is kept', ranMs: 1_999, waitSeconds: 25 },
  ])('$rule', ({ ranMs, waitSeconds }) => {
    expect(observe(steady, unavailable({ ...failed, ranMs }), rules).state.feed.waitSeconds).toBe(waitSeconds);
  });
});
