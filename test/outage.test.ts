import { expect, test } from '@jest/globals';
import { outage } from './support/outage.js';

/** Some 150 requests of 512 records, on a machine that may be busy. */
const slowMs = 120_000;

test(
  'Nothing lost: a receiver that is down for 24 hours costs no memory, delays no metric, and gets all, oldest first',
  async () => {
    const pace = { stepMs: 600_000, retryAfterSeconds: 600 };
    const day = await outage({ sessions: 100, perSession: 50, textSize: 2_000, ...pace });
    expect(day.mostBehind).toBe(0);
    expect(day.refused).toBeGreaterThan(24 * 5);
    expect(day.refused).toBeLessThanOrEqual(24 * 6);
    expect(day.backlog).toBe(100);
    // The texts alone are 10 MB.
    expect(day.grownBytes).toBeLessThan(5_000_000);
    expect(day.arrived).toEqual(Array.from({ length: 5_000 }, (_, number) => number));
  },
  slowMs,
);
