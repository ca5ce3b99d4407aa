import { expect, test } from '@jest/globals';
import { entryOf } from '../../src/pipeline/backlog.js';
import { BatchBuilder } from '../../src/pipeline/batch-builder.js';
import { PendingCommit } from '../../src/pipeline/pending-commit.js';
import type { CursorRow, SinkName } from '../../src/pipeline/ports.js';
import { row } from '../store/conformance.js';
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
  for (let delivery = 0; delivery < 3; delivery += 1) {
    const [report] = await step();
    expect(report).toMatchObject({ taken: 0, undelivered: [{ reason: 'store' }] });
  }
  expect(sinks[0]?.taken()).toEqual(['e0', 'e1']);
  expect(counted(await store.series(), 'logs')).toBe(0n);
  put(server, 's1', event(2));
  fill(false);
  const [report] = await step();
  expect(report).toMatchObject({ taken: 2, errors: [] });
  expect(sinks[0]?.taken()).toEqual(['e0', 'e1']);
  expect(counted(await store.series(), 'logs')).toBe(2n);
  await step();
  expect(sinks[0]?.taken()).toEqual(['e0', 'e1', 'e2']);
  expect(counted(await store.series(), 'logs')).toBe(3n);
});

test('A batch is reported as committed once, after the commit, even if the commit had to wait', async () => {
  const { store, fill } = fullDisk();
  const committed: (readonly [SinkName, ...string[]])[] = [];
  const { server, step, find } = bench({
    store,
    committed: (sink, { events }) => void committed.push([sink, ...events.map(({ event: { id } }) => id)]),
  });
  server.held.set('s1', session({ createdAt: 1n }));
  await find();
  put(server, 's1', event(0), event(1));
  fill(true);
  await step();
  await step();
  expect(committed).toEqual([]);
  fill(false);
  await step();
  await step();
  expect(committed).toEqual([['metrics', 'e0', 'e1']]);
  put(server, 's1', event(2));
  await step();
  expect(committed).toEqual([
    ['metrics', 'e0', 'e1'],
    ['metrics', 'e2'],
  ]);
});

test('A session that is requeued while its commit waits is not stored as done', async () => {
  const { store, fill } = fullDisk();
  const pending: string[] = [];
  const toStore = (one: CursorRow): CursorRow => ({ ...one, done: one.done && !pending.includes(one.session) });
  const commits = new PendingCommit(store, { toStore });
  const read = new BatchBuilder().build(0n);
  const entry = entryOf(row({ session: 's1', done: true }));
  fill(true);
  const delivered = { ...read, dropped: [], changed: [entry], change: { server: 'hq' } };
  await expect(commits.commit(delivered)).rejects.toMatchObject({ reason: 'store' });
  pending.push('s1');
  fill(false);
  await commits.commit();
  expect(await store.rows('hq', ['s1'])).toMatchObject([{ done: false }]);
});
