import type { Nanos } from '../model/time.js';
import { type Cursor, parseCursor } from './cursor.js';
import type { CursorRow } from './ports.js';

/** A session that a sink is not done with. What is not in `row` is lost on a restart, and costs one reading more. */
export type BacklogEntry = Readonly<{
  row: CursorRow;
  cursor: Cursor;
  /** Due from this server time on; undefined while it is idle until discovery wakes it. */
  dueAt: Nanos | undefined;
  /** The last reading left holes: go on from there instead of from the start. */
  unfinished: boolean;
}>;

/** The sessions that one sink is not done with. */
export interface Backlog {
  get(session: string): BacklogEntry | undefined;
  /** Adds or replaces; a row that is done leaves, but for one that was recalled meanwhile, which is read once more. */
  put(entry: BacklogEntry): void;
  /** A reading of an entry begins: what recalls it from here on may not have been in it. */
  startReading(session: string): void;
  /** Makes idle entries due again: an open session is due every turn. */
  wake(): void;
  /** Makes an entry due now, and once more when it may be being read at this moment. */
  requeue(session: string, now: Nanos): void;
  /** A row as it is to be stored: one that was recalled since its reading began is not done. */
  toStore(row: CursorRow): CursorRow;
  /** Keeps an entry from being due before this server time, whatever else happens to it. */
  backOff(session: string, until: Nanos): void;
  /** What is due, oldest session first. */
  due(now: Nanos): readonly BacklogEntry[];
  /** How many still have to be read: what is due, and what would be if it did not rest. */
  size(now: Nanos): number;
}

/** An entry for a row as it comes from the store or from discovery: due at once. */
export const entryOf = (row: CursorRow): BacklogEntry => ({
  row,
  cursor: parseCursor(row.cursor),
  dueAt: 0n,
  unfinished: false,
});

const isDue = ({ dueAt }: BacklogEntry, now: Nanos): boolean => dueAt !== undefined && dueAt <= now;

export function createBacklog(rows: readonly CursorRow[]): Backlog {
  const entries = new Map(rows.map(row => [row.session, entryOf(row)]));
  const resting = new Map<string, Nanos>();
  const recalled = new Set<string>();
  const rested = ({ row }: BacklogEntry, now: Nanos): boolean => (resting.get(row.session) ?? now) <= now;
  const standing = (row: CursorRow): CursorRow =>
    row.done && recalled.has(row.session) ? { ...row, done: false } : row;
  const put = (entry: BacklogEntry): void => {
    const row = standing(entry.row);
    const { session, done } = row;
    if (done) resting.delete(session);
    if (done) entries.delete(session);
    else entries.set(session, { ...entry, row, ...(recalled.has(session) ? { dueAt: 0n } : {}) });
  };
  return {
    get: session => entries.get(session),
    put,
    startReading: session => void recalled.delete(session),
    wake: () => {
      for (const entry of entries.values()) if (entry.dueAt === undefined) put({ ...entry, dueAt: 0n });
    },
    requeue: (session, now) => {
      const entry = entries.get(session);
      if (entry === undefined) return;
      if (isDue(entry, now)) recalled.add(session);
      else put({ ...entry, dueAt: 0n });
    },
    toStore: standing,
    backOff: (session, until) => void resting.set(session, until),
    due: now =>
      [...entries.values()]
        .filter(entry => isDue(entry, now) && rested(entry, now))
        .sort((a, b) => compare(a.row, b.row)),
    size: now => [...entries.values()].filter(entry => isDue(entry, now)).length,
  };
}

const compare = (a: CursorRow, b: CursorRow): number =>
  a.createdAt === b.createdAt ? a.session.localeCompare(b.session) : a.createdAt < b.createdAt ? -1 : 1;
