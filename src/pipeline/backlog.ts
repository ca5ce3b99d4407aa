import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { Random } from '../kernel/clock.js';
import { milliseconds, type Nanos, toSeconds } from '../model/time.js';
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

/** From 1 s to 30 s after a session could not be read. */
const readBackoff: Backoff = { baseMs: 1_000, capMs: 29_000 };
const minBackoffMs = 1_000;

export type Backlog = ReturnType<typeof createBacklog>;

/** The sessions that one sink is not done with. */
export function createBacklog(rows: readonly CursorRow[]) {
  const entries = new Map(rows.map(row => [row.session, entryOf(row)]));
  /** Sessions that could not be read: how often in a row, and when to try again. */
  const backoffs = new Map<string, Readonly<{ failures: number; until: Nanos }>>();
  const requeued = new Set<string>();
  /** The row to store: not done if the session was requeued since its reading began. */
  const toStore = (row: CursorRow): CursorRow =>
    row.done && requeued.has(row.session) ? { ...row, done: false } : row;
  /** Adds or replaces an entry, or removes it if its row is done. One that was requeued while it was read stays, and is due. */
  const put = (entry: BacklogEntry): void => {
    const row = toStore(entry.row);
    const { session, done } = row;
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
    /** Keeps a session that could not be read from being due for 1 to 30 s, longer after each failure in a row. */
    backOff: (session: string, now: Nanos, random: Random) => {
      const failures = (backoffs.get(session)?.failures ?? 0) + 1;
      const restMs = minBackoffMs + Math.ceil(backoffMs(readBackoff, failures, random));
      backoffs.set(session, { failures, until: now + milliseconds(restMs) });
    },
    /** A part of the session could be read. */
    endBackOff: (session: string) => void backoffs.delete(session),
    /** How long until the first session that backs off is due, in ms; undefined if none does. */
    nextRetryMs: (now: Nanos): number | undefined => {
      const untils = [...backoffs].filter(([session]) => entries.has(session)).map(([, { until }]) => until);
      if (untils.length === 0) return undefined;
      return Math.max(0, Math.ceil(Math.min(...untils.map(until => toSeconds(until - now) * 1_000))));
    },
    /** All due entries, oldest session first. */
    due: (now: Nanos): readonly BacklogEntry[] =>
      [...entries.values()]
        .filter(entry => isDue(entry, now) && (backoffs.get(entry.row.session)?.until ?? now) <= now)
        .sort(({ row: a }, { row: b }) => Number(a.createdAt - b.createdAt) || a.session.localeCompare(b.session)),
    /** How many entries are due, including those that back off, and except those of sessions for which `isHistory` holds. */
    size: (now: Nanos, isHistory: (session: string) => boolean = () => false) =>
      [...entries.values()].filter(entry => isDue(entry, now) && !isHistory(entry.row.session)).length,
  };
}
