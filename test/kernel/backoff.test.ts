import { expect, test } from '@jest/globals';
import { backoffMs } from '../../src/kernel/backoff.js';
import { chance, tenths } from '../support/chance.js';

const backoff = { baseMs: 100, capMs: 1_000 };

test('the longest wait doubles with every attempt, up to the cap, however many there were', () => {
  const attempts = [1, 2, 3, 4, 5, 2_000];
  expect(attempts.map(attempt => backoffMs(backoff, attempt, () => 1))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

test('chance may make any wait as short as nothing', () => {
  expect(backoffMs(backoff, 5, () => 0)).toBe(0);
  expect(backoffMs(backoff, 5, () => 0.5)).toBe(500);
});

test.each([1, 3, 9])('chance spreads the waits after attempt %i evenly from nothing to the longest', attempt => {
  const random = chance(11);
  const waits = Array.from({ length: 1_000 }, () => backoffMs(backoff, attempt, random));
  const longestMs = backoffMs(backoff, attempt, () => 1);
  const parts = tenths(waits, longestMs);
  expect(parts).toHaveLength(10);
  for (const count of parts) expect(Math.abs(count - 100)).toBeLessThan(40);
});
