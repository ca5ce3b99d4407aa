import type { Session } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { Source } from './ports.js';

/** A session as last seen, and when it was first seen to be over. */
export type CachedSession = Readonly<{
  session: Session;
  /** Server time of the stop, or when we learned of it where the server does not say; undefined while it is open. */
  stoppedAt: Nanos | undefined;
}>;

/** Sessions as discovery last saw them; what has been forgotten is fetched again by its id. */
export interface SessionCache {
  /** Keeps what discovery saw. */
  put(session: Session, now: Nanos): void;
  /** Undefined when the server has no such session (any more). */
  get(id: string, signal: AbortSignal): Promise<CachedSession | undefined>;
  /** As `get`, but asks the server in any case. */
  refresh(id: string, signal: AbortSignal): Promise<CachedSession | undefined>;
}

/** About 15 MB of headers. */
const kept = 20_000;

export function createSessionCache(source: Pick<Source, 'now' | 'session'>): SessionCache {
  const headers = new Map<string, CachedSession>();
  const put = (session: Session, now: Nanos): CachedSession => {
    const known = headers.get(session.id)?.stoppedAt;
    const header = { session, stoppedAt: session.open ? undefined : (session.endedAt ?? known ?? now) };
    headers.delete(session.id);
    headers.set(session.id, header);
    const oldest = headers.keys().next();
    if (headers.size > kept && oldest.done !== true) headers.delete(oldest.value);
    return header;
  };
  const ask = async (id: string, signal: AbortSignal): Promise<CachedSession | undefined> => {
    const session = await source.session(id, signal);
    return session === undefined ? undefined : put(session, source.now());
  };
  return {
    put: (session, now) => void put(session, now),
    get: async (id, signal) => headers.get(id) ?? ask(id, signal),
    refresh: ask,
  };
}
