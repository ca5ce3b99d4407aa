import { expect, test } from '@jest/globals';
import { bench, counted, put } from '../support/discovery-rig.js';
import { fullDisk } from '../support/full-disk.js';
import { event, recordingSink, session } from '../support/server-run.js';

test('Nothing counted twice: what was delivered and could not be stored is stored later, and not delivered again', async () => {
  const { store, fill } = fullDisk();
  const sinks = [recordingSink('logs')];
  const { server, step, find } = bench({ store, sinks });
  server.held.set('s1', session({ createdAt: 1n }));
  await find();
  put(server, 's1', event(0), event(1));
  fill(true);
  for (let turn = 0; turn < 3; turn += 1) {
    const [report] = await step();
    expect(report?.errors).toMatchObject([{ reason: 'store' }]);
  }
  expect(sinks[0]?.taken()).toEqual(['e0', 'e1']);
  expect(counted(await store.series(), 'logs')).toBe(0n);
  put(server, 's1', event(2));
  fill(false);
  const [report] = await step();
  expect(report?.errors).toEqual([]);
  expect(sinks[0]?.taken()).toEqual(['e0', 'e1']);
  expect(counted(await store.series(), 'logs')).toBe(2n);
  await step();
  expect(sinks[0]?.taken()).toEqual(['e0', 'e1', 'e2']);
  expect(counted(await store.series(), 'logs')).toBe(3n);
});
