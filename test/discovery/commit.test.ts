import { expect, test } from '@jest/globals';
import type { SinkName } from '../../src/pipeline/ports.js';
import { bench, put } from '../support/discovery-rig.js';
import { fullDisk } from '../support/full-disk.js';
import { event, session } from '../support/server-run.js';

test('who wants to know what was taken is told once it is stored, and once, also when storing it had to wait', async () => {
  const { store, fill } = fullDisk();
  const told: (readonly [SinkName, ...string[]])[] = [];
  const { server, step, find } = bench({
    store,
    recorded: (sink, { events }) => void told.push([sink, ...events.map(({ event: { id } }) => id)]),
  });
  server.held.set('s1', session({ createdAt: 1n }));
  await find();
  put(server, 's1', event(0), event(1));
  fill(true);
  await step();
  await step();
  expect(told).toEqual([]);
  fill(false);
  await step();
  await step();
  expect(told).toEqual([['metrics', 'e0', 'e1']]);
  put(server, 's1', event(2));
  await step();
  expect(told).toEqual([
    ['metrics', 'e0', 'e1'],
    ['metrics', 'e2'],
  ]);
});
