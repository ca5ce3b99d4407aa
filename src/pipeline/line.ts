import { createBell } from '../kernel/bell.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { ExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import { type Backlog, createBacklog } from './backlog.js';
import { discover, type DiscoveryDeps, type DiscoveryReport, type Known } from './discovery.js';
import { createHeaders } from './headers.js';
import type { Lane, LaneReport, Stopping } from './lane.js';
import { laneTurn } from './lane-turn.js';
import { every, onBell } from './loops.js';
import { sharedPages } from './pages.js';
import type { Instance, SeriesDelta, Sink, SinkName, Source, Store } from './ports.js';

/** Who wants to know how a line is doing: metrics, the log, the page. */
export interface Observer {
  /** What the server said of itself, once it has been reached. */
  met(instance: Instance): void;
  discovered(report: DiscoveryReport, open: readonly Session[]): void;
  /** `backlog`: sessions that the sink is not done with. */
  delivered(sink: SinkName, report: LaneReport, backlog: number): void;
}

/** Runs a turn with something around it, such as a span. `failureOf` reads from its result how it went. */
export type Around = <T>(
  turn: 'discovery' | SinkName,
  work: () => Promise<T>,
  failureOf: (result: T) => ExporterError | undefined,
) => Promise<T>;

const plainly: Around = async (_, work) => work();

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
  /** How long after a session's stop its open holes are given up. */
  grace: Nanos;
  beginAt: DiscoveryDeps['beginAt'];
  born: DiscoveryDeps['born'];
  stored: (deltas: readonly SeriesDelta[]) => void;
  observer: Observer;
  around?: Around | undefined;
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

  const turn = async (): Promise<ExporterError | undefined> => {
    const report = await discover(discovery, known, stopping.quit);
    deps.observer.discovered(report, [...known.open.values()]);
    if (report.error !== undefined) return report.error;
    for (const { bell } of lanes) bell.ring();
    await meet();
    return undefined;
  };
  const intervalMs = (): number => (known.open.size > 0 ? deps.intervals.openMs : deps.intervals.idleMs);
  const around = deps.around ?? plainly;
  await Promise.all([
    every(intervalMs, async () => around('discovery', turn, failure => failure), { clock, quit: stopping.quit }),
    ...lanes.map(async ({ lane, bell }) =>
      onBell(bell, async () => laneTurnWatched(deps, lane, stopping), { clock, random, quit: stopping.quit }),
    ),
  ]);
}

async function remembered({ server, store }: LineDeps): Promise<Known> {
  const { since } = await store.state(server);
  return { since, watermark: undefined, open: new Map(), born: new Set() };
}

type Shared = Readonly<{ known: Known } & Pick<Lane, 'pages' | 'headers'>>;

async function openLane(deps: LineDeps, sink: Sink, { known, pages, headers }: Shared) {
  const backlog: Backlog = createBacklog(await deps.store.pending(deps.server, sink.name));
  const since = (): Nanos => known.since[sink.name] ?? 0n;
  const lane: Lane = { ...deps, pages, headers, sink, backlog, since };
  return { lane, bell: createBell() };
}

async function laneTurnWatched(deps: LineDeps, lane: Lane, stopping: Stopping): Promise<LaneReport> {
  const around = deps.around ?? plainly;
  const work = async (): Promise<LaneReport> => laneTurn(lane, stopping);
  const report = await around(lane.sink.name, work, ({ errors }) => errors[0]);
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
