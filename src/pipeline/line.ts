import { createBell } from '../kernel/bell.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import { type Backlog, createBacklog } from './backlog.js';
import { type DiscoveryDeps, type DiscoveryReport, type Known, knownOf } from './discovery.js';
import type { FeedState } from './feed.js';
import { createHeaders } from './headers.js';
import type { Lane, LaneReport, Stopping } from './lane.js';
import { laneTurn } from './lane-turn.js';
import { onBell } from './loops.js';
import { sharedPages } from './pages.js';
import { runDiscovery } from './run-discovery.js';
import type { Instance, SeriesDelta, Sink, SinkName, Source, Store } from './ports.js';

/** Who wants to know how a line is doing: metrics, the log, the page. */
export interface Observer {
  /** What the server said of itself, once it has been reached. */
  met(instance: Instance): void;
  discovered(report: DiscoveryReport, open: readonly Session[]): void;
  /** Told after every turn that may have changed it, and after every failure of the feed. */
  feed(state: FeedState): void;
  /** `backlog`: sessions that the sink is not done with. */
  delivered(sink: SinkName, report: LaneReport, backlog: number): void;
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
  observer: Observer;
}>;

/**
 * Runs the line of one server until `quit` aborts: discovery finds sessions, and each sink takes what is new in them
 * at its own pace. Resolves once every loop has ended.
 * @throws {ExporterError} `store` when what is remembered of the server cannot be read.
 */
export async function runLine(deps: LineDeps, stopping: Stopping): Promise<void> {
  const { server, source, store, clock, random } = deps;
  const known = await remembered(deps);
  const pages = sharedPages(source);
  const headers = createHeaders(source);
  const lanes = await Promise.all(deps.sinks.map(async sink => openLane(deps, sink, { known, pages, headers })));
  const backlogs = Object.fromEntries(lanes.map(({ lane }) => [lane.sink.name, lane.backlog]));
  const discovery: DiscoveryDeps = { ...deps, server, source, store, headers, pages, clock, backlogs };
  const meet = introduction(deps, stopping.quit);

  const wake = (): void => {
    for (const { bell } of lanes) bell.ring();
  };
  const turned = async (report: DiscoveryReport): Promise<void> => {
    deps.observer.discovered(report, [...known.open.values()]);
    if (report.error !== undefined) return;
    wake();
    await meet();
  };
  await Promise.all([
    runDiscovery({ ...deps, discovery, known, turned, wake, fed: state => deps.observer.feed(state) }, stopping.quit),
    ...lanes.map(async ({ lane, bell }) =>
      onBell(bell, async () => laneTurnWatched(deps, lane, stopping), { clock, random, quit: stopping.quit }),
    ),
  ]);
}

async function remembered({ server, store }: LineDeps): Promise<Known> {
  return knownOf(await store.state(server));
}

type Shared = Readonly<{ known: Known } & Pick<Lane, 'pages' | 'headers'>>;

async function openLane(deps: LineDeps, sink: Sink, { known, pages, headers }: Shared) {
  const backlog: Backlog = createBacklog(await deps.store.pending(deps.server, sink.name));
  const since = (): Nanos => known.since[sink.name] ?? 0n;
  const lane: Lane = { ...deps, pages, headers, sink, backlog, since };
  return { lane, bell: createBell() };
}

async function laneTurnWatched(deps: LineDeps, lane: Lane, stopping: Stopping): Promise<LaneReport> {
  const report = await laneTurn(lane, stopping);
  deps.observer.delivered(lane.sink.name, report, lane.backlog.size);
  return report;
}

/** Asks the server who it is after a turn that reached it, until it has told; what fails is asked again. */
function introduction({ source, observer }: LineDeps, signal: AbortSignal): () => Promise<void> {
  let met = false;
  return async () => {
    if (met) return;
    const instance = await source.instance(signal).catch(() => undefined);
    if (instance === undefined) return;
    observer.met(instance);
    met = true;
  };
}
