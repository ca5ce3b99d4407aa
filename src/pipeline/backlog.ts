import type { Nanos } from '../model/time.js';
import { type Cursor, parseCursor } from './cursor.js';
import type { CursorRow } from './ports.js';

/** A session that a sink is not done with. Only `row` survives a restart; the rest saves one reading. */
export type BacklogEntry = Readonly<{
  row: CursorRow;
  cursor: Cursor;
  /** Due from this server time on; undefined while it waits for discovery to wake it. */
  dueAt: Nanos | undefined;
  /** The last reading left holes: the next begins at the first of them, not at row 0. */
  unfinished: boolean;
}>;

/** An entry for a row from the store or from discovery: due at once. */
export const entryOf = (row: CursorRow): BacklogEntry => ({
  row,
  cursor: parseCursor(row.cursor),
  dueAt: 0n,
  unfinished: false,
});

const isDue = ({ dueAt }: BacklogEntry, now: Nanos): boolean => dueAt !== undefined && dueAt <= now;

export type Backlog = ReturnType<typeof createBacklog>;

/** The sessions that one sink is not done with. */
export function createBacklog(rows: readonly CursorRow[]) {
  const entries = new Map(rows.map(row => [row.session, entryOf(row)]));
  const notBefore = new Map<string, Nanos>();
  const requeued = new Set<string>();
  /** The row to store: not done if the session was requeued since its reading began. */
  const toStore = (row: CursorRow): CursorRow =>
    row.done && requeued.has(row.session) ? { ...row, done: false } : row;
  /** Adds or replaces an entry, or removes it if its row is done. One that was requeued while it was read stays, and is due. */
  const put = (entry: BacklogEntry): void => {
    const row = toStore(entry.row);
    const { session, done } = row;
    if (done) notBefore.delete(session);
    if (done) entries.delete(session);
    else entries.set(session, { ...entry, row, ...(requeued.has(session) ? { dueAt: 0n } : {}) });
  };
  return {
    get: (session: string) => entries.get(session),
    put,
    toStore,
    /** Marks the start of a reading: a requeue from here on needs another one. */
    startReading: (session: string) => void requeued.delete(session),
    /** Makes all waiting entries due. */
    wake: () => {
      for (const entry of entries.values()) if (entry.dueAt === undefined) put({ ...entry, dueAt: 0n });
    },
    /** Makes an entry due now, and once more if it is due already, because it may be read at this moment. */
    requeue: (session: string, now: Nanos) => {
      const entry = entries.get(session);
      if (entry === undefined) return;
      if (isDue(entry, now)) requeued.add(session);
      else put({ ...entry, dueAt: 0n });
    },
    /** Keeps a session from being due before this server time. */
    backOff: (session: string, until: Nanos) => void notBefore.set(session, until),
    /** All due entries, oldest session first. */
    due: (now: Nanos): readonly BacklogEntry[] =>
      [...entries.values()]
        .filter(entry => isDue(entry, now) && (notBefore.get(entry.row.session) ?? now) <= now)
        .sort(({ row: a }, { row: b }) => Number(a.createdAt - b.createdAt) || a.session.localeCompare(b.session)),
    /** How many entries are due, including those that back off, and except those of sessions for which `isHistory` holds. */
    size: (now: Nanos, isHistory: (session: string) => boolean = () => false) =>
      [...entries.values()].filter(entry => isDue(entry, now) && !isHistory(entry.row.session)).length,
  };
}
