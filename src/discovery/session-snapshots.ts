import type { Session } from '../model/session.js';

/** A session as last seen. */
export type Sight = Readonly<{
  eTag: string;
  open: boolean;
  /** Every sink that wants it has been given this state to read. False for one that was found done already. */
  read: boolean;
}>;

/** What sessions looked like when last seen: tells what has changed since. What was seen longest ago is forgotten first. */
export interface Seen {
  get(id: string): Sight | undefined;
  put(session: Session, read: boolean): void;
  delete(id: string): void;
}

/** About 3 MB. */
const kept = 20_000;

export function createSeen(): Seen {
  const sights = new Map<string, Sight>();
  return {
    get: id => sights.get(id),
    put: ({ id, eTag = '', open }, read) => {
      const last = sights.get(id);
      const same = last?.eTag === eTag && last.open === open;
      sights.delete(id);
      sights.set(id, { eTag, open, read: read || (same && last.read) });
      const oldest = sights.keys().next();
      if (sights.size > kept && oldest.done !== true) sights.delete(oldest.value);
    },
    delete: id => void sights.delete(id),
  };
}

/** Whether a session is as it was when last seen. */
export const isAsSeen = (seen: Seen, { id, eTag = '', open }: Session): boolean => {
  const last = seen.get(id);
  return last !== undefined && last.eTag === eTag && last.open === open;
};
