import { type Session, textLength } from '../model/session.js';
import { type Nanos, seconds } from '../model/time.js';
import type { Source } from './ports.js';

/** A session as last seen, and when it stopped. */
export type CachedSession = Readonly<{
  session: Session;
  /** Server time of the stop, or of the first answer that showed it, also when its end is ahead; undefined while the session is open. */
  stoppedAt: Nanos | undefined;
}>;

/** An end that is further ahead of the server's clock is wrong and is ignored. */
const tolerance: Nanos = seconds(300);

/** About 15 MB, and 32 MB at most. */
const [maxSessions, maxCharacters] = [20_000, 16 * 1024 * 1024];

export type SessionCache = ReturnType<typeof createSessionCache>;

/** Sessions as discovery last saw them. One that was evicted is fetched by its id. */
export function createSessionCache(source: Pick<Source, 'now' | 'session'>) {
  const sessions = new Map<string, CachedSession>();
  let characters = 0;
  const remove = (id: string): void => {
    const cached = sessions.get(id);
    if (cached !== undefined && sessions.delete(id)) characters -= textLength(cached.session);
  };
  const put = (session: Session, now: Nanos): CachedSession => {
    const known = sessions.get(session.id)?.stoppedAt;
    const isEnd = session.endedAt !== undefined && session.endedAt <= now + tolerance;
    const stoppedAt = (isEnd ? session.endedAt : known) ?? now;
    const cached = { session, stoppedAt: session.open ? undefined : stoppedAt };
    remove(session.id);
    sessions.set(session.id, cached);
    characters += textLength(session);
    for (const oldest of sessions.keys()) {
      if (sessions.size <= maxSessions && characters <= maxCharacters) break;
      remove(oldest);
    }
    return cached;
  };
  /** As `get`, but always asks the server. */
  const refresh = async (id: string, signal: AbortSignal): Promise<CachedSession | undefined> => {
    const session = await source.session(id, signal);
    return session === undefined ? undefined : put(session, source.now());
  };
  /** Undefined if the server has no such session (any more). */
  const get = async (id: string, signal: AbortSignal) => sessions.get(id) ?? refresh(id, signal);
  /** As `get`, but never asks the server. */
  const peek = (id: string): CachedSession | undefined => sessions.get(id);
  return { put, get, peek, refresh };
}
