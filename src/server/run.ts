import { type Known, knownOf } from '../discovery/list-scan.js';
import { runDiscovery } from '../discovery/scheduler.js';
import type { Clock, Random } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import { createNotify, type Notify } from '../kernel/notify.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import { createBacklog } from '../pipeline/backlog.js';
import { deliverDue } from '../pipeline/deliver-due.js';
import { every, runWhenNotified } from '../pipeline/loops.js';
import { createPageCache } from '../pipeline/page-cache.js';
import { PendingCommit } from '../pipeline/pending-commit.js';
import type { InstanceInfo, SeriesDelta, ServedSeries, Sink, SinkName, Store } from '../pipeline/ports.js';
import { createSessionCache } from '../pipeline/session-cache.js';
import type { DeliveryReport, SinkWorker, StopSignals } from '../pipeline/sink-worker.js';
import { adoptInstallation, type Installations } from './installation.js';
import { askInstance, type GuardedSource, guardInstallation, type LoginSource } from './installation-guard.js';
import type { ServerObserver } from './observer.js';

/** When a server is polled. Milliseconds. */
export type Schedule = Readonly<{
  startAfterMs: number;
  /** Between polls while no session is open. */
  idleMs: number;
  /** Between polls while a session is open. */
  openMs: number;
  /** Between lists of all sessions while the change feed is active. */
  reconcileMs: number;
}>;

/** What running one server needs. */
export type RunDeps = Readonly<{
  server: string;
  source: LoginSource;
  sinks: readonly Sink[];
  store: Store;
  series: ServedSeries;
  installations: Installations;
  clock: Clock;
  random: Random;
  schedule: Schedule;
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

/** What is kept in memory while the server is one installation. */
type InstallationState = Readonly<{ guarded: GuardedSource; known: Known; workers: readonly WokenWorker[] }> & Caches;
type Caches = Pick<SinkWorker, 'pageCache' | 'sessionCache'>;
type WokenWorker = Readonly<{ worker: SinkWorker; wakeUp: Notify }>;

/** Polls until the server has reported its installation and the stored state is loaded; undefined if `quit` aborts first. */
async function identify(deps: RunDeps, quit: AbortSignal): Promise<InstallationState | undefined> {
  const { clock, source, observer, schedule } = deps;
  const identified = new AbortController();
  let state: InstallationState | undefined;
  const poll = async (): Promise<ExporterError | undefined> => {
    const startedMs = clock.monotonic();
    try {
      const instance = await askInstance(source, quit);
      observer.installationChanged(await adoptInstallation(deps, instance?.installationId ?? ''));
      state = await openInstallation(deps, instance);
      identified.abort();
      return undefined;
    } catch (thrown) {
      const error = toExporterError(thrown);
      const seconds = (clock.monotonic() - startedMs) / 1000;
      observer.discovered({ result: 'failed', error, seconds, listed: 0, rejects: [] }, []);
      return error;
    }
  };
  await every(() => schedule.idleMs, poll, { clock, quit: AbortSignal.any([quit, identified.signal]) });
  return state;
}

async function openInstallation(deps: RunDeps, instance: InstanceInfo | undefined): Promise<InstallationState> {
  const guarded = guardInstallation(deps.source, instance, deps.clock);
  const known = knownOf(await deps.store.state(deps.server));
  const caches = {
    pageCache: createPageCache(guarded.source, deps.sinks.length),
    sessionCache: createSessionCache(guarded.source),
  };
  const workers = await Promise.all(deps.sinks.map(async sink => openWorker(deps, sink, { known, ...caches })));
  return { guarded, known, workers, ...caches };
}

async function openWorker(
  deps: RunDeps,
  sink: Sink,
  { known, ...caches }: Caches & Readonly<{ known: Known }>,
): Promise<WokenWorker> {
  const { server, source, store, grace, series, observer } = deps;
  const backlog = createBacklog(await store.pending(server, sink.name));
  observer.opened?.(sink.name, backlog);
  const worker: SinkWorker = {
    server,
    source,
    sink,
    backlog,
    grace,
    series,
    ...caches,
    pendingCommit: new PendingCommit(store),
    since: () => known.since[sink.name] ?? 0n,
    committed: (name, batch) => observer.committed?.(name, batch),
  };
  return { worker, wakeUp: createNotify() };
}

async function runInstallation(deps: RunDeps, state: InstallationState, stopping: StopSignals): Promise<void> {
  const { clock, random, observer } = deps;
  const { workers } = state;
  const discovering = discover(deps, state, stopping.quit);
  const delivering = workers.map(async ({ worker, wakeUp }) => {
    const deliver = async (): Promise<DeliveryReport> => {
      const startedMs = clock.monotonic();
      const report = await deliverDue(worker, stopping);
      observer.delivered(worker.sink.name, report, (clock.monotonic() - startedMs) / 1000);
      return report;
    };
    return runWhenNotified(wakeUp, deliver, { clock, random, quit: stopping.quit });
  });
  await Promise.all([discovering, ...delivering]);
}

/** Runs discovery, which wakes the workers. */
async function discover(deps: RunDeps, state: InstallationState, quit: AbortSignal): Promise<void> {
  const { observer, series, schedule } = deps;
  const { known, workers, guarded } = state;
  const backlogs = Object.fromEntries(workers.map(({ worker }) => [worker.sink.name, worker.backlog]));
  const wake = (): void => {
    for (const { wakeUp } of workers) wakeUp.notify();
  };
  const discovery = {
    ...deps,
    ...state,
    source: guarded.source,
    backlogs,
    initialDeltas: (session: Session) => series.initialDeltas(session),
    feedGapDeltas: (missed: number) => series.feedGapDeltas(missed),
    stored: (deltas: readonly SeriesDelta[]) => series.apply(deltas),
  };
  const options = {
    discovery,
    known,
    clock: deps.clock,
    intervals: schedule,
    reconcileMs: schedule.reconcileMs,
    wake,
  };
  const turned: Parameters<typeof runDiscovery>[0]['turned'] = report => {
    observer.discovered(report, [...known.open.values()]);
    if (report.error !== undefined) return;
    wake();
    const instance = guarded.instance();
    if (instance !== undefined) observer.identified(instance);
  };
  await runDiscovery({ ...options, turned, fed: feed => observer.feed(feed) }, quit);
}
