import type { Clock } from '../kernel/clock.js';
import { toExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import { milliseconds, type Nanos, seconds } from '../model/time.js';
import { concernsOneSession, type Source } from '../pipeline/ports.js';
import type { DiscoveryState, SessionReads } from './state.js';

/** A session can turn up this late behind its creation and is still found by the window. */
const overlap: Nanos = seconds(300);
/** The window reaches back to the oldest open session, but no further than this; older ones are asked for by id. */
const widestWindow: Nanos = seconds(24 * 3600);
/** An open session that is too old for the window is asked for this often; its events are read in every interval. */
const oldSessionPause: Nanos = seconds(60);

/**
 * Reads everything that is new since the last list, and the state of everything open.
 * @throws {ExporterError} as `Source`.
 */
export async function scanList(
  {
    source,
    clock,
  }: Readonly<{ source: Pick<Source, 'now' | 'sessions' | 'session'>; clock: Pick<Clock, 'monotonic'> }>,
  state: Pick<DiscoveryState, 'watermark' | 'open' | 'askedAt'>,
  signal: AbortSignal,
): Promise<SessionReads & Pick<DiscoveryState, 'askedAt'>> {
  const startedMs = clock.monotonic();
  const from = windowStart(state);
  const list = await source.sessions(from, signal);
  const now = source.now();
  const listed = new Set(list.sessions.map(({ id }) => id));
  const missing = [...state.open.values()].filter(({ id }) => !listed.has(id));
  const resting = new Map<string, Nanos>();
  for (const session of missing) {
    const last = state.askedAt.get(session.id);
    if (last !== undefined && isResting(session, last, { from, now })) resting.set(session.id, last);
  }
  const ids = missing.map(({ id }) => id).filter(id => !resting.has(id));
  const byId = await readSessions(source, ids, signal);
  return {
    ...byId,
    sessions: [...list.sessions, ...byId.sessions],
    rejects: [...list.rejects, ...byId.rejects],
    // The first answer shows what time it is there: only now can it be said when reading began.
    startedAt: source.now() - milliseconds(clock.monotonic() - startedMs),
    askedAt: new Map([...resting, ...ids.filter(id => !byId.gone.has(id)).map(id => [id, now] as const)]),
  };
}

/** Reads sessions by id. A session that cannot be read fails no other. */
export async function readSessions(
  source: Pick<Source, 'now' | 'session'>,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<SessionReads> {
  const startedAt = source.now();
  const sessions: Session[] = [];
  const gone = new Set<string>();
  const unread: string[] = [];
  const rejects: string[] = [];
  for (const id of ids) {
    try {
      const session = await source.session(id, signal);
      if (session === undefined) gone.add(id);
      else sessions.push(session);
    } catch (thrown) {
      const error = toExporterError(thrown);
      if (!concernsOneSession(error)) throw error;
      rejects.push(error.message);
      unread.push(id);
    }
  }
  return { sessions, gone, startedAt, unread, rejects };
}

/** The first list is of everything, so that a session that has been open since yesterday is found. */
export function windowStart({ watermark, open }: Pick<DiscoveryState, 'watermark' | 'open'>): Nanos | undefined {
  if (watermark === undefined) return undefined;
  const limit = watermark - widestWindow;
  const recent = [...open.values()].map(({ createdAt }) => createdAt).filter(createdAt => createdAt >= limit);
  return recent.reduce((min, createdAt) => (createdAt < min ? createdAt : min), watermark - overlap);
}

/** Too old for the window, and asked for a short while ago. A clock that was set back ends the pause as well. */
const isResting = (
  { createdAt }: Session,
  askedAt: Nanos,
  { from, now }: Readonly<{ from: Nanos | undefined; now: Nanos }>,
): boolean => from !== undefined && createdAt < from && askedAt <= now && now - askedAt < oldSessionPause;
