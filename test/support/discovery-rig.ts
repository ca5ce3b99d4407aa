import type { Nanos } from '../../src/model/time.js';
import type { RestoreEvent } from '../../src/model/event.js';
import { createBacklog } from '../../src/pipeline/backlog.js';
import { discover, knownOf } from '../../src/discovery/list-scan.js';
import { createSessionCache } from '../../src/pipeline/session-cache.js';
import type { SinkWorker, DeliveryReport } from '../../src/pipeline/sink-worker.js';
import { deliverDue } from '../../src/pipeline/deliver-due.js';
import { PendingCommit } from '../../src/pipeline/pending-commit.js';
import { createPageCache } from '../../src/pipeline/page-cache.js';
import type { Series, SinkName, Store } from '../../src/pipeline/ports.js';
import { memoryStore } from './memory-store.js';
import { fakeServer, type FakeServer, recordingSink, type RecordingSink, second } from './server-run.js';

const never = { quit: new AbortController().signal, cut: new AbortController().signal };
export const grace = 3600n * second;

/** A line without loops: each step is one turn of discovery and one of every sink. */
export function bench(
  options: {
    server?: FakeServer;
    store?: Store;
    sinks?: readonly RecordingSink[];
    committed?: SinkWorker['committed'];
  } = {},
) {
  const server = options.server ?? fakeServer();
  const store = options.store ?? memoryStore();
  const sinks = options.sinks ?? [recordingSink('metrics')];
  const known = knownOf({ since: {}, facts: {} });
  const pageCache = createPageCache(server, sinks.length);
  const sessionCache = createSessionCache(server);
  const backlogs: Partial<Record<SinkName, ReturnType<typeof createBacklog>>> = {};
  const workers: SinkWorker[] = [];
  const open = async (): Promise<void> => {
    known.since = (await store.state('hq')).since;
    for (const sink of sinks) {
      const backlog = createBacklog(await store.pending('hq', sink.name));
      backlogs[sink.name] = backlog;
      const since = (): Nanos => known.since[sink.name] ?? 0n;
      workers.push({
        server: 'hq',
        source: server,
        pageCache,
        sessionCache,
        sink,
        pendingCommit: new PendingCommit(store),
        backlog,
        since,
        grace,
        series: { apply: () => undefined },
        committed: options.committed,
      });
    }
  };
  const find = async () => {
    if (workers.length === 0) await open();
    const deps = { server: 'hq', source: server, store, sessionCache, pageCache, backlogs, grace } as const;
    const ports = {
      clock: { monotonic: () => 0 },
      random: () => 0,
      feedGapDeltas: () => [],
      beginAt: (_: SinkName, now: Nanos) => now,
      initialDeltas: () => [],
    };
    return discover({ ...deps, ...ports, stored: () => undefined }, known, never.cut);
  };
  const step = async (): Promise<readonly DeliveryReport[]> => {
    await find();
    return Promise.all(workers.map(async worker => deliverDue(worker, never)));
  };
  return { server, store, sinks, known, find, step, backlogs };
}

export const put = (server: FakeServer, id: string, ...events: readonly RestoreEvent[]): void => {
  const rows = server.rows.get(id) ?? [];
  server.rows.set(id, [...rows, ...events.map(one => ({ order: one.order, event: one }))]);
};
export const stop = (server: FakeServer, id: string, at: Nanos): void => {
  const held = server.held.get(id);
  if (held !== undefined) server.held.set(id, { ...held, open: false, endedAt: at });
};
export const counted = (series: readonly Series[], sink: string): bigint => {
  const found = series.find(({ labels }) => labels[0] === sink);
  return found?.kind === 'counter' ? found.value : 0n;
};
