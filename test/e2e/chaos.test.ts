import { expect, test } from '@jest/globals';
import { runChaos } from '../chaos/chaos.js';

const minutes = 60_000;

test(
  'Nothing lost, nothing counted twice: 40 kills at random moments, and three books that agree',
  async () => {
    const report = await runChaos({ kills: 40, seed: 2026, leastEvents: 2_000 });
    expect(report).toMatchObject({ lost: 0, strays: [], differences: [], fallen: [], faults: [] });
    expect(report.events).toBeGreaterThanOrEqual(2_000);
    // Without a repetition, no kill has hit an export, and the test has shown little.
    expect(report.repeated).toBeGreaterThan(0);
    expect(Object.values(report.kills).reduce((sum, count) => sum + count, 0)).toBe(40);
  },
  10 * minutes,
);
