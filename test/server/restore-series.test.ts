import { expect, test } from '@jest/globals';
import type { StateChange, Store } from '../../src/pipeline/ports.js';
import { restoreSeries } from '../../src/server/restore-series.js';
import { createMetrics } from '../../src/metrics/registry.js';
import { memoryStore } from '../support/memory-store.js';
import { fromFile, smallest } from '../support/config.js';

const config = fromFile(smallest);
const log = { warn: () => undefined };

/** A store, and what is committed to it. */
function countedStore(): Readonly<{ store: Store; commits: StateChange[] }> {
  const store = memoryStore();
  const commits: StateChange[] = [];
  const commit = async (change: StateChange): Promise<void> => {
    commits.push(change);
    await store.commit(change);
  };
  return { store: { ...store, commit }, commits };
}

const registered = async (store: Store, servers: readonly string[]) => {
  const metrics = createMetrics({ version: '0' });
  const series = await restoreSeries(config, store, { metrics, log });
  await series.registerServers(servers);
  return { metrics, series };
};

const seriesOf = async (store: Store, server: string): Promise<number> =>
  (await store.series()).filter(({ labels }) => labels.includes(server)).length;

test('a hundred new servers wait for the disk once', async () => {
  const { store, commits } = countedStore();
  const servers = Array.from({ length: 100 }, (_, index) => `s${String(index)}`);
  await registered(store, servers);
  expect(commits).toHaveLength(1);
  expect(await seriesOf(store, 's99')).toBeGreaterThan(0);
  expect(await seriesOf(store, 's99')).toBe(await seriesOf(store, 's0'));
});

test('a start with known servers waits for no disk, and serves what they had', async () => {
  const { store, commits } = countedStore();
  await registered(store, ['hq']);
  const { metrics } = await registered(store, ['hq']);
  expect(commits).toHaveLength(1);
  const { body } = await metrics.exposition('text');
  expect(body.toString()).toContain('server="hq"');
});

test('a server that is added later gets only its own series', async () => {
  const { store, commits } = countedStore();
  const { series } = await registered(store, ['hq']);
  await series.registerServers(['hq', 'branch']);
  expect(commits).toHaveLength(2);
  expect(new Set(commits[1]?.deltas?.map(({ labels }) => labels[0]))).toEqual(new Set(['branch']));
});
