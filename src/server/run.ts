import { type Notify, createNotify } from '../kernel/notify.js';
import type { Clock, Random } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import { type Instrument, noopInstrument } from '../pipeline/instrument.js';
import { type Backlog, createBacklog } from '../pipeline/backlog.js';
import { type InstallationChange, adoptInstallation, type InstallationDeps } from './installation.js';
import type { FeedStatus } from '../discovery/feed-state.js';
import { createSessionCache } from '../pipeline/session-cache.js';
import { askInstance, type Identity, type IdentityDeps, guardInstallation } from './identity.js';
import type { SinkWorker, DeliveryReport, StopSignals } from '../pipeline/sink-worker.js';
import { deliverDue } from '../pipeline/deliver-due.js';
import { createPendingCommit } from '../pipeline/pending-commit.js';
import { every, runWhenNotified } from '../pipeline/loops.js';
import { createPageCache } from '../pipeline/page-cache.js';
import { Discovery, type DiscoveryDeps, type DiscoveryReport } from '../discovery/scheduler.js';
import type { InstanceInfo, SeriesDelta, ServerState, Sink, SinkName, Source, Store } from '../pipeline/ports.js';

/** Who wants to know how a line is doing: metrics, the log, the page. */
export interface ServerObserver {
  /** The server has told which installation it is; nothing of it has been read yet. */
  installationChanged(change: InstallationChange): void;
  /** What the server said of itself, once it has been read from. */
  met(instance: InstanceInfo): void;
  discovered(report: DiscoveryReport, open: readonly Session[]): void;
  /** Told after every turn that may have changed it, and after every failure of the feed. */
  feed(status: FeedStatus): void;
  delivered(sink: SinkName, report: DeliveryReport): void;
}

/** One server, its sinks, and what a line between them needs. */
export type RunDeps = Readonly<{
  server: string;
  source: Source;
  sinks: readonly Sink[];
  store: Store;
  clock: Clock;
  random: Random;
  /** Milliseconds between turns of discovery, while nothing is open and while something is. */
  intervals: Readonly<{ idleMs: number; openMs: number }>;
  /** How often, in milliseconds, a list is looked at although there is a change feed. */
  reconcileMs: number;
  /** How long, in milliseconds, to wait before the first turn. */
  startAfterMs: number;
  /** How long after a session's stop its open holes are given up. */
  grace: Nanos;
  beginAt: DiscoveryDeps['beginAt'];
  initialDeltas: DiscoveryDeps['initialDeltas'];
  feedGapDeltas: DiscoveryDeps['feedGapDeltas'];
  stored: (deltas: readonly SeriesDelta[]) => void;
  installations: InstallationDeps['installations'];
  replacedDeltas: InstallationDeps['replacedDeltas'];
  loginEndsAtMs: IdentityDeps['loginEndsAtMs'];
  observer: ServerObserver;
  /** Told of each worker that begins, and what is in its backlog from then on. */
  opened?: (sink: SinkName, backlog: Pick<Backlog, 'get'>) => void;
  recorded?: SinkWorker['recorded'];
  instrument?: Instrument | undefined;
}>;

/**
 * Runs the line of one server until `quit` aborts: once the server has told which installation it is, discovery finds
 * sessions, and each sink takes what is new in them at its own pace; when it becomes another, that begins anew.
 * Resolves once every loop has ended.
 */
export async function runServer(deps: RunDeps, { quit, cut }: StopSignals): Promise<void> {
  await deps.clock.sleep(deps.startAfterMs, quit).catch(() => undefined);
  const told: Told = { text: '' };
  for (;;) {
    const epoch = await meet(deps, quit);
    if (epoch === undefined) return;
    await runEpoch(deps, epoch, { told, stopping: { quit: AbortSignal.any([quit, epoch.identity.changed]), cut } });
  }
}

/** What the observer was told of the server last. */
type Told = { text: string };

/** The line while its server is one installation. */
type Epoch = Readonly<{ identity: Identity; stored: ServerState; backlogs: Backlogs }>;
type Backlogs = ReadonlyMap<Sink, Backlog>;

/** Tries until the server has told who it is, and all that is remembered of it has been read; undefined at the end. */
async function meet(deps: RunDeps, quit: AbortSignal): Promise<Epoch | undefined> {
  const { clock, source, observer } = deps;
  const met = new AbortController();
  let epoch: Epoch | undefined;
  const turn = async (): Promise<ExporterError | undefined> => {
    const startedMs = clock.monotonic();
    try {
      const instance = await askInstance(source, quit);
      observer.installationChanged(await adoptInstallation(deps, instance?.installationId ?? ''));
      epoch = await openEpoch(deps, instance);
      met.abort();
      return undefined;
    } catch (thrown) {
      const error = toExporterError(thrown);
      const seconds = (clock.monotonic() - startedMs) / 1000;
      observer.discovered({ result: 'failed', error, seconds, listed: 0, rejects: [] }, []);
      return error;
    }
  };
  const watched = async (): Promise<ExporterError | undefined> =>
    (deps.instrument ?? noopInstrument)('discovery', turn, failure => failure);
  await every(() => deps.intervals.idleMs, watched, { clock, quit: AbortSignal.any([quit, met.signal]) });
  return epoch;
}

async function openEpoch(deps: RunDeps, instance: InstanceInfo | undefined): Promise<Epoch> {
  const { server, store, sinks } = deps;
  const identity = guardInstallation(deps.source, instance, deps);
  const stored = await store.state(server);
  const open = async (sink: Sink) => [sink, createBacklog(await store.pending(server, sink.name))] as const;
  return { identity, stored, backlogs: new Map(await Promise.all(sinks.map(open))) };
}

type Run = Readonly<{ told: Told; stopping: StopSignals }>;

async function runEpoch(deps: RunDeps, epoch: Epoch, { told, stopping }: Run): Promise<void> {
  const { clock, random, observer, sinks } = deps;
  const { stored, backlogs, identity } = epoch;
  const { source } = identity;
  const shared = { pageCache: createPageCache(source, sinks.length), sessionCache: createSessionCache(source) };
  const wake = (): void => {
    for (const { wakeUp } of workers) wakeUp.notify();
  };
  const polled = (report: DiscoveryReport, open: readonly Session[]): void => {
    observer.discovered(report, open);
    if (report.error === undefined) tell(observer, told, identity.instance());
  };
  const discovery = new Discovery(
    {
      ...deps,
      ...shared,
      source,
      backlogs: Object.fromEntries([...backlogs].map(([sink, backlog]) => [sink.name, backlog])),
      instrument: deps.instrument ?? noopInstrument,
      polled,
      wake,
      feed: status => observer.feed(status),
    },
    stored,
  );
  const workers = [...backlogs].map(([sink, backlog]) => {
    const since = (): Nanos => discovery.state.since[sink.name] ?? 0n;
    return openWorker(deps, { ...shared, sink, backlog, since });
  });
  await Promise.all([
    discovery.run(stopping.quit),
    ...workers.map(async ({ worker, wakeUp }) =>
      runWhenNotified(wakeUp, async () => deliverObserved(deps, worker, stopping), {
        clock,
        random,
        quit: stopping.quit,
      }),
    ),
  ]);
}

/** Tells what the server says of itself once it has been read from, and when it says something else. */
function tell(observer: ServerObserver, told: Told, instance: InstanceInfo | undefined): void {
  const text = JSON.stringify(instance);
  if (instance === undefined || text === told.text) return;
  told.text = text;
  observer.met(instance);
}

type OpenWorker = Readonly<{ worker: SinkWorker; wakeUp: Notify }>;

function openWorker(
  deps: RunDeps,
  own: Pick<SinkWorker, 'pageCache' | 'sessionCache' | 'sink' | 'backlog' | 'since'>,
): OpenWorker {
  deps.opened?.(own.sink.name, own.backlog);
  return { worker: { ...deps, ...own, pendingCommit: createPendingCommit(deps.store) }, wakeUp: createNotify() };
}

async function deliverObserved(deps: RunDeps, worker: SinkWorker, stopping: StopSignals): Promise<DeliveryReport> {
  const instrument = deps.instrument ?? noopInstrument;
  const work = async (): Promise<DeliveryReport> => deliverDue(worker, stopping);
  const report = await instrument(worker.sink.name, work, ({ errors }) => errors[0]);
  deps.observer.delivered(worker.sink.name, report);
  return report;
}
