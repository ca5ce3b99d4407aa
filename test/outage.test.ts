import { expect, test } from '@jest/globals';
import { outage, type OutageReport } from './support/outage.js';

/** A day of simulated time takes some seconds of a machine that may be busy. */
const slowMs = 120_000;

test(
  'Nothing lost: a receiver that is down for 24 hours costs no memory, delays no metric, and gets all, oldest first',
  async () => {
    const report: OutageReport = await outage(100, 200);
    expect(report.mostBehind).toBe(0);
    // At the most one try a minute with this jitter, and at least one in ten.
    expect(report.refused).toBeLessThanOrEqual(24 * 60 + 20);
    expect(report.refused).toBeGreaterThanOrEqual(24 * 6);
    // The text of the events alone is 30 MB.
    expect(report.grownBytes).toBeLessThan(15_000_000);
    expect(report.arrived).toEqual(Array.from({ length: 20_000 }, (_, n) => n));
  },
  slowMs,
);
