import { expect, test } from '@jest/globals';
import { backoffMs } from '../../src/kernel/backoff.js';

const backoff = { baseMs: 100, capMs: 1_000 };

test('the longest wait doubles with every attempt, up to the cap, however many there were', () => {
  const attempts = [1, 2, 3, 4, 5, 2_000];
  expect(attempts.map(attempt => backoffMs(backoff, attempt, () => 1))).toEqual([100, 200, 400, 800, 1_000, 1_000]);
});

test('chance may make any wait as short as nothing', () => {
  expect(backoffMs(backoff, 5, () => 0)).toBe(0);
  expect(backoffMs(backoff, 5, () => 0.5)).toBe(500);
});
