import { describe, expect, test } from '@jest/globals';
import { type Holdings, type Move, nextMove } from '../../src/server/shares.js';
import { chance } from '../support/chance.js';

const names = (count: number, from = 0): readonly string[] =>
  Array.from({ length: count }, (_, n) => `s${String(from + n)}`);
const other = (servers: number, draining = false) => ({ servers, draining });

/** Descending, so that shuffling reverses. */
const countdown = (): (() => number) => {
  let n = 1;
  return () => (n /= 2);
};

test.each<[string, Holdings, Partial<Move>]>([
  [
    'alone, it acquires everything',
    { servers: 4, held: [], free: names(4), others: [] },
    { acquire: ['s3', 's2', 's1', 's0'], release: [] },
  ],
  [
    'with another one, half',
    { servers: 4, held: [], free: names(4), others: [other(0)] },
    { acquire: ['s3', 's2'], settled: false },
  ],
  [
    'shares are rounded up',
    { servers: 5, held: [], free: names(5), others: [other(0)] },
    { acquire: ['s4', 's3', 's2'] },
  ],
  [
    'it takes what is missing to its share',
    { servers: 6, held: names(2), free: names(2, 2), others: [other(2)] },
    { acquire: ['s3'], settled: false },
  ],
  [
    'at its share it leaves the free ones to others',
    { servers: 6, held: names(3), free: names(1, 3), others: [other(2)] },
    { acquire: [], release: [], settled: false },
  ],
  [
    'a draining replica takes no share',
    { servers: 4, held: [], free: names(4), others: [other(0, true)] },
    { acquire: ['s3', 's2', 's1', 's0'] },
  ],
  [
    'above its share it releases the one that it has held longest',
    { servers: 4, held: names(4), free: [], others: [other(0)] },
    { release: ['s0'], settled: false },
  ],
  [
    'far above its share it releases several at a time',
    { servers: 50, held: names(50), free: [], others: [other(0)] },
    { release: ['s0', 's1', 's2'], settled: false },
  ],
  [
    'but not while one is free',
    { servers: 5, held: names(4), free: ['s4'], others: [other(0)] },
    { release: [], settled: false },
  ],
  [
    'and not for a replica that is draining',
    { servers: 4, held: names(4), free: [], others: [other(0, true)] },
    { release: [], settled: true },
  ],
  [
    'below its share it waits for one that has too many',
    { servers: 4, held: [], free: [], others: [other(4)] },
    { acquire: [], settled: false },
  ],
  [
    'uneven shares move nothing',
    { servers: 5, held: names(3), free: [], others: [other(2)] },
    { acquire: [], release: [], settled: true },
  ],
  [
    'more replicas than servers move nothing',
    { servers: 2, held: [], free: [], others: [other(1), other(1)] },
    { acquire: [], release: [], settled: true },
  ],
])('%s', (_, holdings, expected) => {
  expect(nextMove(holdings, countdown())).toMatchObject(expected);
});

/** Replicas that act in turn, as the database lets them. */
function play(
  servers: number,
  replicas: number,
  { joins = 0, leaves = 0 }: Readonly<{ joins?: number; leaves?: number }>,
) {
  const all = names(servers);
  const held: string[][] = Array.from({ length: replicas }, () => []);
  const free = (): readonly string[] => all.filter(name => !held.some(of => of.includes(name)));
  const random = chance(1);
  let moves = 0;
  const settle = (): void => {
    for (let rounds = 0; rounds < servers * 4; rounds += 1)
      for (const mine of held) {
        const others = held.filter(of => of !== mine).map(of => other(of.length));
        const { acquire, release } = nextMove({ servers, held: mine, free: free(), others }, random);
        mine.push(...acquire);
        for (const name of release) mine.splice(mine.indexOf(name), 1);
        moves += acquire.length + release.length;
      }
  };
  settle();
  for (let n = 0; n < joins; n += 1) held.push([]);
  held.splice(0, leaves);
  moves = 0;
  settle();
  const movesAfter = moves;
  settle();
  return { free: free(), sizes: held.map(of => of.length), moves: movesAfter, flaps: moves - movesAfter };
}

describe('replicas settle, with every server held by one of them', () => {
  test.each([
    [1, 1, {}],
    [10, 3, {}],
    [100, 1, { joins: 1 }],
    [100, 2, { joins: 1 }],
    [100, 3, { leaves: 1 }],
    [7, 3, { joins: 2, leaves: 1 }],
    [2, 5, { leaves: 3 }],
  ])('%s servers on %s replicas, then %j', (servers, replicas, change) => {
    const { free, sizes, flaps } = play(servers, replicas, change);
    expect(free).toEqual([]);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(Math.ceil(servers / sizes.length));
    expect(flaps).toBe(0);
  });
  test('a replica that joins moves its share and no more', () => {
    // Each move is a release and an acquisition.
    expect(play(100, 1, { joins: 1 })).toMatchObject({ sizes: [50, 50], moves: 100 });
  });
});
