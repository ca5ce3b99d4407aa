import { expect, test } from '@jest/globals';
import { account } from '../../bench/baselines/account.js';

const ended = new Map([
  ['before', 900],
  ['taken', 1_100],
  ['twice', 1_200],
  ['lost', 1_300],
]);

const once = (atMs: number) => ({ atMs, times: 1 });

test('what is lost, repeated, old and late follows from the books of server and receiver', () => {
  const arrived = new Map([
    ['before', once(1_050)],
    ['taken', once(1_150)],
    ['twice', { atMs: 1_500, times: 3 }],
    ['a session', { atMs: 1_600, times: 2 }],
  ]);
  expect(account({ ended, arrived }, 1_000)).toEqual({
    events: 3,
    lost: 1,
    repeated: 2,
    old: 1,
    lagsMs: [50, 300],
    seconds: 0.5,
  });
});

test('an event that ended as the time began is news', () => {
  expect(account({ ended, arrived: new Map([['before', once(1_000)]]) }, 900)).toMatchObject({
    events: 4,
    lost: 3,
    old: 0,
    lagsMs: [100],
  });
});
