import type { Clock } from '../kernel/clock.js';
import type { Session } from '../model/session.js';
import { milliseconds, type Nanos, seconds } from '../model/time.js';
import type { SessionFilter, Source } from '../pipeline/ports.js';
import type { ReadsById } from './reads-by-id.js';
import { type DiscoveryState, isAllDue, type ReportedSessions, type SessionReads } from './state.js';

/** A session may appear in the list this long after its creation. */
const overlap: Nanos = seconds(300);
/** The window reaches back to the oldest open session, but no further than this; older ones are asked for by id. */
const widestWindow: Nanos = seconds(24 * 3600);
/** An open session that is too old for the window is asked for this often; its events are read in every interval. */
const oldSessionPause: Nanos = seconds(60);
/** Sessions that are missing from a list and are asked for by id after it; the others follow after the next list. */
const maxAsked = 500;
/** With more sessions to read than this, one list costs the server less. */
const manySessions = 50;

type ScanDeps = Readonly<{ source: Pick<Source, 'now' | 'sessions'>; byId: Pick<ReadsById, 'read'> }>;

/** Reads all that is new since the last list, and all that is open. @throws {ExporterError} as `Source`. */
export async function scanList(
  {
    source,
    byId: reads,
    clock,
    isKept,
  }: ScanDeps & Readonly<{ clock: Pick<Clock, 'monotonic'>; isKept: SessionFilter }>,
  state: Pick<DiscoveryState, 'watermark' | 'open' | 'askedAt' | 'listedAllMs'>,
  signal: AbortSignal,
): Promise<SessionReads & Pick<DiscoveryState, 'askedAt'> & Readonly<{ all: boolean }>> {
  const startedMs = clock.monotonic();
  const from = isAllDue(state, startedMs) ? undefined : windowStart(state);
  const list = await source.sessions(from, signal, isKept);
  const now = source.now();
  const listed = new Set(list.sessions.map(({ id }) => id));
  const missing = [...state.open.values()].filter(({ id }) => !listed.has(id));
  /** When a session was asked for that is too old for the window and rests. A clock that was set back ends the rest. */
  const restingSince = ({ id, createdAt }: Session): Nanos | undefined => {
    const last = state.askedAt.get(id);
    const isOld = from !== undefined && createdAt < from;
    return isOld && last !== undefined && last <= now && now - last < oldSessionPause ? last : undefined;
  };
  const lastAsked = ({ id }: Session): Nanos => state.askedAt.get(id) ?? 0n;
  const asked = missing
    .filter(session => restingSince(session) === undefined)
    .sort((a, b) => Number(lastAsked(a) - lastAsked(b)))
    .slice(0, maxAsked);
  const ids = asked.map(({ id }) => id);
  const byId = await reads.read(ids, signal);
  const unread = new Set(byId.unread);
  const left = missing.filter(({ id }) => !byId.gone.has(id) && !unread.has(id));
  const isAsked = new Set(ids);
  return {
    ...byId,
    all: from === undefined,
    sessions: [...list.sessions, ...byId.sessions],
    rejects: [...list.rejects, ...byId.rejects],
    // The first answer shows what time it is there: only now can it be said when reading began.
    startedAt: source.now() - milliseconds(clock.monotonic() - startedMs),
    askedAt: new Map(left.map(session => [session.id, isAsked.has(session.id) ? now : lastAsked(session)])),
  };
}

/** Reads these sessions, a few by id and many by a list. @throws {ExporterError} as `Source`. */
export async function readSessions(
  { source, byId: reads }: ScanDeps,
  { changed, unread: before }: ReportedSessions,
  signal: AbortSignal,
): Promise<SessionReads> {
  const ids = [...changed, ...before];
  const wanted = new Set(ids);
  if (changed.length <= manySessions) return reads.read(ids, signal);
  const startedAt = source.now();
  const { sessions, rejects } = await source.sessions(undefined, signal, async page =>
    page.filter(({ id }) => wanted.has(id)),
  );
  const byId = new Map(sessions.map(session => [session.id, session]));
  const missing = ids.filter(id => !byId.has(id));
  // A session that is missing may be one that could not be decoded.
  const [gone, unread] = rejects.length === 0 ? [missing, []] : [[], missing];
  return { sessions: ids.flatMap(id => byId.get(id) ?? []), gone: new Set(gone), startedAt, unread, rejects };
}

/** The first list is of everything, so that a session that has been open since yesterday is found. */
export function windowStart({ watermark, open }: Pick<DiscoveryState, 'watermark' | 'open'>): Nanos | undefined {
  if (watermark === undefined) return undefined;
  const limit = watermark - widestWindow;
  const recent = [...open.values()].map(({ createdAt }) => createdAt).filter(createdAt => createdAt >= limit);
  return recent.reduce((min, createdAt) => (createdAt < min ? createdAt : min), watermark - overlap);
}
