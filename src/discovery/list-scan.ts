import type { Clock, Random } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import { milliseconds, type Nanos, seconds } from '../model/time.js';
import type { Backlog } from '../pipeline/backlog.js';
import { concernsOneSession } from '../pipeline/failure.js';
import { createFeed, endOfFeed, type Feed } from './feed-state.js';
import type { SessionCache } from '../pipeline/session-cache.js';
import type { PageCache } from '../pipeline/page-cache.js';
import type { SeriesDelta, ServerState, SinkName, Source, Store } from '../pipeline/ports.js';
import { record } from './commit.js';
import { changedSince, suspect } from './reconcile.js';

/** A session can turn up this late behind its creation and is still found by the window. */
const overlap: Nanos = seconds(300);
/** The window reaches back to the oldest open session, but no further than this; older ones are asked for by id. */
const widestWindow: Nanos = seconds(24 * 3600);
/** An open session that is too old for the window is asked for so often; its events are read in every interval. */
const oldSessionPause: Nanos = seconds(60);

export type DiscoveryDeps = Readonly<{
  server: string;
  source: Pick<Source, 'now' | 'sessions' | 'session' | 'changes'>;
  store: Pick<Store, 'rows' | 'commit'>;
  sessionCache: SessionCache;
  pageCache: PageCache;
  clock: Pick<Clock, 'monotonic'>;
  random: Random;
  backlogs: Readonly<Partial<Record<SinkName, Backlog>>>;
  /** Where each sink's history ends, for a server first met at `now`. */
  beginAt: (sink: SinkName, now: Nanos) => Nanos;
  grace: Nanos;
  /** The series that a session brings into being at 0. */
  initialDeltas: (session: Session) => readonly SeriesDelta[];
  /** What a gap in the change feed adds to; `missed`: the sessions of which it had not told. */
  feedGapDeltas: (missed: number) => readonly SeriesDelta[];
  stored: (deltas: readonly SeriesDelta[]) => void;
}>;

/** What discovery remembers between turns. All but `since` and the token of the feed is found again after a restart. */
export type Known = {
  since: Partial<Record<SinkName, Nanos>>;
  /** Every session created before has been listed; undefined before the first turn of this process. */
  watermark: Nanos | undefined;
  /** Open sessions by id, as of the last complete turn. */
  open: ReadonlyMap<string, Session>;
  /** When the server last told of open sessions that are too old for the window. Server time. */
  askedAt: ReadonlyMap<string, Nanos>;
  /** Organizations and workloads whose series exist. */
  born: ReadonlySet<string>;
  readonly feed: Feed;
};

export const knownOf = ({ since, facts }: ServerState): Known => ({
  since,
  watermark: undefined,
  open: new Map(),
  askedAt: new Map(),
  born: new Set(),
  feed: createFeed(facts.changeToken),
});

export type DiscoveryReport = Readonly<{
  result: 'complete' | 'partial' | 'failed';
  error: ExporterError | undefined;
  /** Waiting for the feed to tell something does not count. */
  seconds: number;
  /** Sessions that the turn listed, or asked for because the feed told of them. */
  listed: number;
  /** What could not be decoded or read, one line each. */
  rejects: readonly string[];
}>;

export type Looked = Readonly<{ sessions: readonly Session[]; rejects: readonly string[] }>;

/**
 * One turn of discovery by a list: finds the sessions that sinks have to read, and wakes the ones they wait for. Where
 * there is a feed to follow, the list is begun after its end was asked for. Never rejects.
 */
export async function discover(deps: DiscoveryDeps, known: Known, signal: AbortSignal): Promise<DiscoveryReport> {
  return reported(deps, async elapsed => {
    const following = known.feed.active;
    const token = await endOfFeed(deps, known.feed, signal);
    const listedMs = elapsed();
    const { sessions, rejects, open, askedAt } = await look(deps, known, signal);
    const startedAt = deps.source.now() - milliseconds(elapsed() - listedMs);
    if (following) suspect(known, { sessions, open }, deps.clock.monotonic());
    const changed = changedSince(known.feed.seen, sessions);
    await record(deps, known, { sessions, startedAt, open, changed, wake: 'all', token });
    known.watermark = startedAt;
    known.askedAt = askedAt;
    known.feed.doubted = false;
    if (token !== undefined) known.feed.active = true;
    return { sessions, rejects };
  });
}

/** Makes a report of a turn. `elapsed`: milliseconds since it began. */
export async function reported(
  { clock }: Pick<DiscoveryDeps, 'clock'>,
  turn: (elapsed: () => number) => Promise<Looked>,
): Promise<DiscoveryReport> {
  const startedMs = clock.monotonic();
  const elapsed = (): number => clock.monotonic() - startedMs;
  try {
    const { sessions, rejects } = await turn(elapsed);
    const result = rejects.length === 0 ? 'complete' : 'partial';
    return { result, error: undefined, seconds: elapsed() / 1000, listed: sessions.length, rejects };
  } catch (thrown) {
    const error = toExporterError(thrown);
    return { result: 'failed', error, seconds: elapsed() / 1000, listed: 0, rejects: [] };
  }
}

type Seen = Looked & Pick<Known, 'open' | 'askedAt'>;

/** Everything that is new since the last turn, and the state of everything open. */
async function look({ source }: DiscoveryDeps, known: Known, signal: AbortSignal): Promise<Seen> {
  const from = windowStart(known);
  const list = await source.sessions(from, signal);
  const sessions = [...list.sessions];
  const rejects = [...list.rejects];
  const open = new Map(sessions.filter(session => session.open).map(session => [session.id, session]));
  const askedAt = new Map<string, Nanos>();
  const listed = new Set(sessions.map(({ id }) => id));
  for (const last of known.open.values()) {
    if (listed.has(last.id)) continue;
    const lastAsked = known.askedAt.get(last.id);
    if (isOld(last, from) && lastAsked !== undefined && !isOver(lastAsked, source.now())) {
      open.set(last.id, last);
      askedAt.set(last.id, lastAsked);
      continue;
    }
    const session = await stillOpen(source, last, { signal, rejects });
    if (session === undefined) continue;
    sessions.push(session);
    if (session.open) open.set(session.id, session);
    askedAt.set(session.id, source.now());
  }
  return { sessions, rejects, open, askedAt };
}

const isOld = ({ createdAt }: Session, from: Nanos | undefined): boolean => from !== undefined && createdAt < from;

/** A clock that was set back ends the pause as well. */
const isOver = (lastAsked: Nanos, now: Nanos): boolean => now < lastAsked || now - lastAsked >= oldSessionPause;

/** An open session that is not in the list. One that cannot be read stays as it was and fails nothing else. */
async function stillOpen(
  source: Pick<Source, 'session'>,
  last: Session,
  { signal, rejects }: { signal: AbortSignal; rejects: string[] },
): Promise<Session | undefined> {
  try {
    return await source.session(last.id, signal);
  } catch (thrown) {
    const error = toExporterError(thrown);
    if (!concernsOneSession(error)) throw error;
    rejects.push(error.message);
    return last;
  }
}

/** The first turn lists everything, so that a session that is open since yesterday is found. */
export function windowStart({ watermark, open }: Pick<Known, 'watermark' | 'open'>): Nanos | undefined {
  if (watermark === undefined) return undefined;
  const limit = watermark - widestWindow;
  const recent = [...open.values()].map(({ createdAt }) => createdAt).filter(createdAt => createdAt >= limit);
  return recent.reduce((min, createdAt) => (createdAt < min ? createdAt : min), watermark - overlap);
}
