import { describe, expect, test } from '@jest/globals';
import { startAfterMs } from '../../src/server/server.js';
import { chance, tenths } from '../support/chance.js';

const starts = (pollIntervalMs: number, servers: number): readonly number[] => {
  const random = chance(7);
  return Array.from({ length: servers }, () => startAfterMs(pollIntervalMs, servers, random));
};

describe('the first polls of servers', () => {
  test('start at once for a single server', () => {
    expect(startAfterMs(30_000, 1, () => 0.9)).toBe(0);
  });

  test.each([
    ['a tenth of a second for each', 30_000, 200, 20_000],
    ['the interval, where that is shorter', 5_000, 200, 5_000],
  ])('are spread evenly over %s', (_, pollIntervalMs, servers, withinMs) => {
    const parts = tenths(starts(pollIntervalMs, servers), withinMs);
    expect(parts).toHaveLength(10);
    for (const count of parts) expect(Math.abs(count - servers / 10)).toBeLessThan(servers / 15);
  });
});
