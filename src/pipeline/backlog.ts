import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { Random } from '../kernel/clock.js';
import { milliseconds, type Nanos, toSeconds } from '../model/time.js';
import { type Cursor, ofStored, parseCursor } from './cursor.js';
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

/** An entry for a row from the store or from discovery: due at once. @throws {ExporterError} `store` when its cursor is damaged. */
export const entryOf = (row: CursorRow): BacklogEntry => ({
  row,
  cursor: ofStored(row, parseCursor),
  dueAt: 0n,
  unfinished: false,
});

const isDue = ({ dueAt }: BacklogEntry, now: Nanos): boolean => dueAt !== undefined && dueAt <= now;

/** From 1 s to 30 s after a session could not be read. */
const readBackoff: Backoff = { baseMs: 1_000, capMs: 29_000 };
const minBackoffMs = 1_000;
/** Of the sessions that could not be read, so many are due at a time, and read at a time: the others find room beside them. */
const [maxRetries, maxRetriesReading] = [4, 14];

/** How long a session rests that could not be read `failures` times in a row, in ms. */
export const readBackoffMs = (failures: number, random: Random): number =>
  minBackoffMs + Math.ceil(backoffMs(readBackoff, failures, random));

/** How often in a row a session could not be read, and when to try again. */
type ReadFailures = Readonly<{ failures: number; until: Nanos }>;

/** The entries that may be tried again, the one that has waited longest first. */
function retriesIn(
  due: readonly BacklogEntry[],
  failures: ReadonlyMap<string, ReadFailures>,
  now: Nanos,
): readonly BacklogEntry[] {
  const untilOf = ({ row }: BacklogEntry): Nanos => failures.get(row.session)?.until ?? now + 1n;
  return due.filter(entry => untilOf(entry) <= now).sort((a, b) => Number(untilOf(a) - untilOf(b)));
}

function roomForRetries(failures: ReadonlyMap<string, ReadFailures>, isReading: SessionTest): number {
  const reading = [...failures.keys()].filter(isReading).length;
  return Math.max(0, Math.min(maxRetries, maxRetriesReading - reading));
}

function firstInMs(waiting: readonly (readonly [session: string, ReadFailures])[], now: Nanos): number | undefined {
  if (waiting.length === 0) return undefined;
  return Math.max(0, Math.ceil(Math.min(...waiting.map(([, { until }]) => toSeconds(until - now) * 1_000))));
}

type SessionTest = (session: string) => boolean;

const byAge = ({ row: a }: BacklogEntry, { row: b }: BacklogEntry): number =>
  Number(a.createdAt - b.createdAt) || (a.session < b.session ? -1 : 1);

export type Backlog = ReturnType<typeof createBacklog>;

/** The sessions that one sink is not done with. */
export function createBacklog(rows: readonly CursorRow[]) {
  const entries = new Map(rows.map(row => [row.session, entryOf(row)]));
  /** Sessions that could not be read. */
  const backoffs = new Map<string, ReadFailures>();
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
    /** How many entries there are, due or not. */
    count: () => entries.size,
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
      backoffs.set(session, { failures, until: now + milliseconds(readBackoffMs(failures, random)) });
    },
    /** A part of the session could be read. */
    endBackOff: (session: string) => void backoffs.delete(session),
    /** How long until the first session that backs off can be read again, in ms; undefined if none can before an answer. */
    nextRetryMs: (now: Nanos, isReading: SessionTest = () => false): number | undefined =>
      roomForRetries(backoffs, isReading) === 0
        ? undefined
        : firstInMs(
            [...backoffs].filter(([session]) => entries.has(session) && !isReading(session)),
            now,
          ),
    /** The due entries that are not being read, oldest session first; behind them, a few that could not be read. */
    due: (now: Nanos, isReading: SessionTest = () => false): readonly BacklogEntry[] => {
      const isWaiting = (entry: BacklogEntry): boolean => isDue(entry, now) && !isReading(entry.row.session);
      const due = [...entries.values()].filter(isWaiting).sort(byAge);
      const ready = due.filter(({ row }) => !backoffs.has(row.session));
      return [...ready, ...retriesIn(due, backoffs, now).slice(0, roomForRetries(backoffs, isReading))];
    },
    /** How many entries are due, including those that back off, and except those of sessions for which `isHistory` holds. */
    size: (now: Nanos, isHistory: SessionTest = () => false) =>
      [...entries.values()].filter(entry => isDue(entry, now) && !isHistory(entry.row.session)).length,
  };
}
