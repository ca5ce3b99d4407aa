import { expect, test } from '@jest/globals';
import { runChaos } from '../chaos/chaos.js';
import { runSoak } from '../chaos/soak.js';

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

test(
  'Sessions that can be read are not late while 5 % of the answers are faulty, some requests hang and one session never answers',
  async () => {
    const report = await runSoak({
      seconds: 40,
      servers: 1,
      sessions: 60,
      faults: 0.05,
      hangs: 0.008,
      stuck: true,
      requestTimeoutSeconds: 8,
      version: 8,
      seed: 2026,
    });
    expect(report.lost).toBe(0);
    expect(report.faulty).toBeGreaterThan(20);
    expect(report.lagP99).toBeLessThan(15);
    expect(report.recovered).toBeLessThan(10);
    expect(report.linesPerMinute).toBeLessThanOrEqual(6);
  },
  5 * minutes,
);
