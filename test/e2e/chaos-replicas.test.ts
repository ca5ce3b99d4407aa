import { expect, test } from '@jest/globals';
import { runReplicas } from '../chaos/replicas.js';

test('Nothing lost, nothing counted twice: 40 disruptions to three replicas and their PostgreSQL, and three books that agree', async () => {
  const report = await runReplicas({ replicas: 3, kills: 40, seed: 2026, leastEvents: 2_000 });
  expect(report).toMatchObject({ lost: 0, strays: [], differences: [], fallen: [], faults: [] });
  expect(report.events).toBeGreaterThanOrEqual(2_000);
  expect(Object.values(report.disruptions).reduce((sum, count) => sum + count, 0)).toBe(40);
}, 600_000);
