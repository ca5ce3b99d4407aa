import { Discovery, type DiscoveryDeps, nothingRead } from '../discovery/scheduler.js';
import type { Clock, Random } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import { createNotify } from '../kernel/notify.js';
import type { Nanos } from '../model/time.js';
import { type Backlog, createBacklog } from '../pipeline/backlog.js';
import { deliverDue } from '../pipeline/deliver-due.js';
import { every, runWhenNotified } from '../pipeline/loops.js';
import { createPageCache } from '../pipeline/page-cache.js';
import { PendingCommit } from '../pipeline/pending-commit.js';
import { probeReceiver } from '../pipeline/receiver-outage.js';
import type { ServedSeries, ServerState, Sink, SinkName, Store } from '../pipeline/ports.js';
import { createSessionCache } from '../pipeline/session-cache.js';
import { ConcurrentReads } from '../pipeline/concurrent-reads.js';
import type { DeliveryReport } from '../pipeline/delivery-report.js';
import type { SinkWorker, StopSignals } from '../pipeline/sink-worker.js';
import {
  adoptInstallation,
  askInstance,
  guardInstallation,
  type InstallationDeps,
  type LoginSource,
} from './installation.js';
import type { ServerObserver } from './observer.js';

/** What running one server needs. */
export type RunDeps = InstallationDeps &
  Readonly<{
    source: LoginSource;
    sinks: readonly Sink[];
    store: Store;
    series: ServedSeries;
    clock: Clock;
    random: Random;
    /** When the server is polled, in ms. */
    schedule: Readonly<{
      startAfterMs: number;
      /** Between polls while no session is open, and while one is. */
      idleMs: number;
      openMs: number;
      /** Between lists of all sessions while the change feed is active. */
      reconcileMs: number;
    }>;
    /** Where a sink begins with a server that is first polled at `now`. Server time. */
    beginAt: (sink: SinkName, now: Nanos) => Nanos;
    /** How long after the stop of a session missing events are given up. */
    grace: Nanos;
    observer: ServerObserver;
  }>;

/**
 * Runs one server until `quit` aborts: identifies the installation, then discovery finds sessions and each sink
 * delivers what is new in them at its own pace. Starts over when the server becomes another installation.
 * Resolves once every loop has ended.
 */
export async function runServer(deps: RunDeps, { quit, cut }: StopSignals): Promise<void> {
  await deps.clock.sleep(deps.schedule.startAfterMs, quit).catch(() => undefined);
  for (;;) {
    const state = await identify(deps, quit);
    if (state === undefined) return;
    await runInstallation(deps, state, { quit: AbortSignal.any([quit, state.guarded.changed]), cut });
  }
}

/** What is loaded while the server is one installation. */
type InstallationState = Readonly<{
  guarded: ReturnType<typeof guardInstallation>;
  stored: ServerState;
  backlogs: ReadonlyMap<Sink, Backlog>;
}>;

/** Polls until the server has reported its installation and the stored state is loaded; undefined if `quit` aborts first. */
async function identify(deps: RunDeps, quit: AbortSignal): Promise<InstallationState | undefined> {
  const { server, clock, source, sinks, store, observer, schedule } = deps;
  const identified = new AbortController();
  let state: InstallationState | undefined;
  const poll = async (): Promise<ExporterError | undefined> => {
    const startedMs = clock.monotonic();
    try {
      const instance = await askInstance(source, quit);
      observer.installationChanged(await adoptInstallation(deps, instance?.installationId ?? ''));
      const guarded = guardInstallation(source, instance, clock);
      const stored = await store.state(server);
      const open = async (sink: Sink) => [sink, createBacklog(await store.pending(server, sink.name))] as const;
      state = { guarded, stored, backlogs: new Map(await Promise.all(sinks.map(open))) };
      identified.abort();
      return undefined;
    } catch (thrown) {
      const error = toExporterError(thrown);
      const seconds = (clock.monotonic() - startedMs) / 1000;
      observer.discovered({ result: 'failed', error, seconds, ...nothingRead }, []);
      return error;
    }
  };
  await every(schedule.idleMs, poll, { clock, quit: AbortSignal.any([quit, identified.signal]) });
  return state;
}

/** Discovery finds sessions and wakes the workers; each worker delivers what is due in its backlog. */
async function runInstallation(deps: RunDeps, state: InstallationState, stopping: StopSignals): Promise<void> {
  const { clock, random, observer, sinks } = deps;
  const { source } = state.guarded;
  const caches = { pageCache: createPageCache(source, sinks.length), sessionCache: createSessionCache(source) };
  const workers = [...state.backlogs].map(([sink, backlog]) => ({ sink, backlog, wakeUp: createNotify() }));
  const wake = (): void => {
    for (const { wakeUp } of workers) wakeUp.notify();
  };
  const discovery = createDiscovery(deps, state, { ...caches, wake });
  const delivering = workers.map(async ({ sink, backlog, wakeUp }) => {
    const isPending = (session: string): boolean => backlog.get(session) !== undefined;
    const worker: SinkWorker = {
      ...deps,
      ...caches,
      sink,
      backlog,
      reads: new ConcurrentReads({ clock, isPending, wakeUp }),
      since: () => discovery.state.since[sink.name] ?? 0n,
      pendingCommit: new PendingCommit(deps.store, backlog),
      committed: (name, batch) => observer.committed?.(name, batch),
    };
    observer.opened?.(sink.name, backlog);
    const deliver = async (): Promise<DeliveryReport> => {
      const startedMs = clock.monotonic();
      const report = await deliverDue(worker, stopping);
      observer.delivered(sink.name, report, (clock.monotonic() - startedMs) / 1000);
      return report;
    };
    const probe = async (signal: AbortSignal): Promise<DeliveryReport> => {
      const startedMs = clock.monotonic();
      const report = await probeReceiver(worker, signal);
      // The delivery that follows a successful probe reports it.
      if (report.errors.length > 0 && !signal.aborted)
        observer.delivered(sink.name, report, (clock.monotonic() - startedMs) / 1000);
      return report;
    };
    const run = { deliver, probe: sink.probe && probe };
    return runWhenNotified(wakeUp, run, { clock, random, quit: stopping.quit });
  });
  await Promise.all([discovery.run(stopping.quit), ...delivering]);
}

function createDiscovery(
  deps: RunDeps,
  { guarded, stored, backlogs }: InstallationState,
  shared: Pick<DiscoveryDeps, 'pageCache' | 'sessionCache' | 'wake'>,
): Discovery {
  const { observer } = deps;
  return new Discovery(
    {
      ...deps,
      ...shared,
      source: guarded.source,
      backlogs: new Map([...backlogs].map(([sink, backlog]) => [sink.name, backlog])),
      polled: (report, open) => {
        observer.discovered(report, open);
        const instance = guarded.instance();
        if (report.error === undefined && instance !== undefined) observer.identified(instance);
      },
      feed: status => observer.feed(status),
    },
    stored,
  );
}
