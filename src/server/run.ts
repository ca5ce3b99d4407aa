import { type Bell, createBell } from '../kernel/notify.js';
import type { Clock, Random } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import { type Around, plainly } from '../pipeline/instrument.js';
import { type Backlog, createBacklog } from '../pipeline/backlog.js';
import { type DiscoveryDeps, type DiscoveryReport, type Known, knownOf } from '../discovery/list-scan.js';
import { type Arrival, enterEpoch, type EpochDeps } from './installation.js';
import type { FeedState } from '../discovery/feed-state.js';
import { createHeaders } from '../pipeline/session-cache.js';
import { askInstance, type Identity, type IdentityDeps, keepIdentity } from './identity.js';
import type { Lane, LaneReport, Stopping } from '../pipeline/sink-worker.js';
import { laneTurn } from '../pipeline/deliver-due.js';
import { createLedger } from '../pipeline/pending-commit.js';
import { every, onBell } from '../pipeline/loops.js';
import { sharedPages } from '../pipeline/page-cache.js';
import { runDiscovery } from '../discovery/scheduler.js';
import type { Instance, SeriesDelta, Sink, SinkName, Source, Store } from '../pipeline/ports.js';

/** Who wants to know how a line is doing: metrics, the log, the page. */
export interface Observer {
  /** The server has told which installation it is; nothing of it has been read yet. */
  arrived(arrival: Arrival): void;
  /** What the server said of itself, once it has been read from. */
  met(instance: Instance): void;
  discovered(report: DiscoveryReport, open: readonly Session[]): void;
  /** Told after every turn that may have changed it, and after every failure of the feed. */
  feed(state: FeedState): void;
  delivered(sink: SinkName, report: LaneReport): void;
}

/** One server, its sinks, and what a line between them needs. */
export type LineDeps = Readonly<{
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
  born: DiscoveryDeps['born'];
  feedGap: DiscoveryDeps['feedGap'];
  stored: (deltas: readonly SeriesDelta[]) => void;
  installations: EpochDeps['installations'];
  replaced: EpochDeps['replaced'];
  loginEndsAtMs: IdentityDeps['loginEndsAtMs'];
  observer: Observer;
  /** Told of each lane that begins, and what is in its backlog from then on. */
  opened?: (sink: SinkName, backlog: Pick<Backlog, 'get'>) => void;
  recorded?: Lane['recorded'];
  around?: Around | undefined;
}>;

/**
 * Runs the line of one server until `quit` aborts: once the server has told which installation it is, discovery finds
 * sessions, and each sink takes what is new in them at its own pace; when it becomes another, that begins anew.
 * Resolves once every loop has ended.
 */
export async function runLine(deps: LineDeps, { quit, cut }: Stopping): Promise<void> {
  await deps.clock.sleep(deps.startAfterMs, quit).catch(() => undefined);
  const told: Told = { text: '' };
  for (;;) {
    const epoch = await meet(deps, quit);
    if (epoch === undefined) return;
    await runEpoch(deps, epoch, { told, stopping: { quit: AbortSignal.any([quit, epoch.identity.over]), cut } });
  }
}

/** What the observer was told of the server last. */
type Told = { text: string };

/** The line while its server is one installation. */
type Epoch = Readonly<{ identity: Identity; known: Known; lanes: readonly OpenLane[] } & Shared>;

/** Tries until the server has told who it is, and all that is remembered of it has been read; undefined at the end. */
async function meet(deps: LineDeps, quit: AbortSignal): Promise<Epoch | undefined> {
  const { clock, source, observer } = deps;
  const met = new AbortController();
  let epoch: Epoch | undefined;
  const turn = async (): Promise<ExporterError | undefined> => {
    const startedMs = clock.monotonic();
    try {
      const instance = await askInstance(source, quit);
      observer.arrived(await enterEpoch(deps, instance?.installationId ?? ''));
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
    (deps.around ?? plainly)('discovery', turn, failure => failure);
  await every(() => deps.intervals.idleMs, watched, { clock, quit: AbortSignal.any([quit, met.signal]) });
  return epoch;
}

async function openEpoch(deps: LineDeps, instance: Instance | undefined): Promise<Epoch> {
  const identity = keepIdentity(deps.source, instance, deps);
  const known = await remembered(deps);
  const shared = {
    known,
    pages: sharedPages(identity.source, deps.sinks.length),
    headers: createHeaders(identity.source),
  };
  const lanes = await Promise.all(deps.sinks.map(async sink => openLane(deps, sink, shared)));
  return { identity, lanes, ...shared };
}

type Run = Readonly<{ told: Told; stopping: Stopping }>;

async function runEpoch(deps: LineDeps, epoch: Epoch, { told, stopping }: Run): Promise<void> {
  const { clock, random, observer } = deps;
  const { known, lanes, identity } = epoch;
  const backlogs = Object.fromEntries(lanes.map(({ lane }) => [lane.sink.name, lane.backlog]));
  const discovery: DiscoveryDeps = { ...deps, ...epoch, source: identity.source, backlogs };
  const wake = (): void => {
    for (const { bell } of lanes) bell.ring();
  };
  const turned = (report: DiscoveryReport): void => {
    observer.discovered(report, [...known.open.values()]);
    if (report.error !== undefined) return;
    wake();
    tell(observer, told, identity.told());
  };
  const around = deps.around ?? plainly;
  await Promise.all([
    runDiscovery(
      { ...deps, around, discovery, known, turned, wake, fed: state => observer.feed(state) },
      stopping.quit,
    ),
    ...lanes.map(async ({ lane, bell }) =>
      onBell(bell, async () => laneTurnWatched(deps, lane, stopping), { clock, random, quit: stopping.quit }),
    ),
  ]);
}

/** Tells what the server says of itself once it has been read from, and when it says something else. */
function tell(observer: Observer, told: Told, instance: Instance | undefined): void {
  const text = JSON.stringify(instance);
  if (instance === undefined || text === told.text) return;
  told.text = text;
  observer.met(instance);
}

async function remembered({ server, store }: LineDeps): Promise<Known> {
  return knownOf(await store.state(server));
}

type Shared = Readonly<{ known: Known } & Pick<Lane, 'pages' | 'headers'>>;

type OpenLane = Readonly<{ lane: Lane; bell: Bell }>;

async function openLane(deps: LineDeps, sink: Sink, { known, pages, headers }: Shared): Promise<OpenLane> {
  const backlog: Backlog = createBacklog(await deps.store.pending(deps.server, sink.name));
  deps.opened?.(sink.name, backlog);
  const since = (): Nanos => known.since[sink.name] ?? 0n;
  const lane: Lane = { ...deps, pages, headers, sink, backlog, since, ledger: createLedger(deps.store) };
  return { lane, bell: createBell() };
}

async function laneTurnWatched(deps: LineDeps, lane: Lane, stopping: Stopping): Promise<LaneReport> {
  const around = deps.around ?? plainly;
  const work = async (): Promise<LaneReport> => laneTurn(lane, stopping);
  const report = await around(lane.sink.name, work, ({ errors }) => errors[0]);
  deps.observer.delivered(lane.sink.name, report);
  return report;
}
