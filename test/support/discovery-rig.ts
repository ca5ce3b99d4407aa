import type { Nanos } from '../../src/model/time.js';
import { createNotify } from '../../src/kernel/notify.js';
import type { RestoreEvent } from '../../src/model/event.js';
import { type Backlog, createBacklog } from '../../src/pipeline/backlog.js';
import { Discovery } from '../../src/discovery/scheduler.js';
import { ConcurrentReads } from '../../src/pipeline/concurrent-reads.js';
import { createSessionCache } from '../../src/pipeline/session-cache.js';
import type { DeliveryReport } from '../../src/pipeline/delivery-report.js';
import type { SinkWorker } from '../../src/pipeline/sink-worker.js';
import { deliverDue } from '../../src/pipeline/deliver-due.js';
import { PendingCommit } from '../../src/pipeline/pending-commit.js';
import { createPageCache } from '../../src/pipeline/page-cache.js';
import type { Series, SinkName, Store } from '../../src/pipeline/ports.js';
import { fakeClock } from './fake-clock.js';
import { memoryStore } from './memory-store.js';
import { fakeServer, type FakeServer, noSeries, recordingSink, type RecordingSink, second } from './server-run.js';

const never = { quit: new AbortController().signal, cut: new AbortController().signal };
export const grace = 3600n * second;

/** A server run without loops: each step is one poll of discovery and one delivery of every sink. */
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
  const pageCache = createPageCache(server, sinks.length);
  const sessionCache = createSessionCache(server);
  const backlogs = new Map<SinkName, Backlog>();
  const workers: SinkWorker[] = [];
  let discovery: Discovery | undefined;
  const open = async (): Promise<Discovery> => {
    const stored = await store.state('hq');
    for (const sink of sinks) {
      const backlog = createBacklog(await store.pending('hq', sink.name));
      backlogs.set(sink.name, backlog);
      const since = (): Nanos => discovery?.state.since[sink.name] ?? 0n;
      const isPending = (session: string): boolean => backlog.get(session) !== undefined;
      const wakeUp = createNotify();
      const worker: SinkWorker = {
        server: 'hq',
        source: server,
        pageCache,
        sessionCache,
        sink,
        pendingCommit: new PendingCommit(store, backlog),
        backlog,
        reads: new ConcurrentReads({ clock: fakeClock(), isPending, wakeUp }),
        random: () => 0,
        since,
        grace,
        series: { apply: () => undefined },
        committed: options.committed,
      };
      workers.push(worker);
    }
    const deps = { server: 'hq', source: server, store, sessionCache, pageCache, backlogs, grace } as const;
    const ports = {
      clock: { ...fakeClock(), monotonic: () => Number(server.at / 1_000_000n) },
      random: () => 0,
      schedule: { idleMs: 30_000, openMs: 5_000, reconcileMs: 900_000 },
      beginAt: (_: SinkName, now: Nanos) => now,
      series: noSeries,
      polled: () => undefined,
      wake: () => undefined,
      feed: () => undefined,
    };
    return new Discovery({ ...deps, ...ports }, stored);
  };
  const find = async () => {
    discovery ??= await open();
    return discovery.list(never.cut);
  };
  const step = async (): Promise<readonly DeliveryReport[]> => {
    await find();
    return Promise.all(workers.map(async worker => deliverDue(worker, never)));
  };
  const openIds = (): readonly string[] => [...(discovery?.state.open.keys() ?? [])].sort();
  return { server, store, sinks, openIds, find, step, backlogs };
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
