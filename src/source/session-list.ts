import { ExporterError } from '../kernel/errors.js';
import type { Nanos } from '../model/time.js';
import type { SessionList } from '../pipeline/ports.js';
import { decodeSession, type SessionEntry } from './decode-session.js';
import type { Page } from './page.js';

export type Reading = Readonly<{
  maxPages: number;
  /** How often a list of no certain order is read again. */
  restarts: number;
  /** Rows stand in the order in which sessions were created, for certain; else a list of several pages is read until nothing new turns up. */
  ordered: boolean;
  /** The list is taken to be newest first: behind a page that ends with an older session, nothing is wanted. */
  enoughFrom?: Nanos | undefined;
}>;

export type ReadList = SessionList &
  Readonly<{
    /** Every row of what was read stood behind a newer one, or one as new. */
    newestFirst: boolean;
    /** The end of the list was seen. */
    whole: boolean;
  }>;

type Entries = ReadonlyMap<string, SessionEntry>;
type Pass = Readonly<{ entries: Entries; pages: number; newestFirst: boolean; whole: boolean }>;
type ReadPage = (offset: number) => Promise<Page>;

/**
 * Reads a list of sessions through `read`, which gives the page at an offset: every session that is in it from
 * beginning to end, whatever is added or removed meanwhile. Each page but the first begins with the last row of the one
 * before: when that row is one not seen yet, sessions were removed and the rows moved up, so some were passed over, and
 * reading goes back until a page begins with one that was seen. Rows that move down are only read twice. A session that
 * jumped to a place that had been read already is found by the next pass.
 * @throws {ExporterError} `rejected` when the list has more pages than the bound, or does not hold still.
 */
export async function readSessionList(read: ReadPage, reading: Reading): Promise<ReadList> {
  let known: Entries | undefined;
  for (let pass = 0; pass <= reading.restarts; pass += 1) {
    const found = await readOnce(read, reading);
    const certain = reading.ordered || found.pages === 1 || !found.whole;
    const entries: Entries = new Map([...(known ?? []), ...found.entries]);
    if (certain || (known !== undefined && addsNothing(known, found.entries))) return { ...found, ...listOf(entries) };
    known = entries;
  }
  throw new ExporterError('rejected', 'Could not list restore sessions: the list does not hold still');
}

/** Whether all that a pass found was known, or began after everything that was known: nothing had been passed over. */
function addsNothing(known: Entries, found: Entries): boolean {
  const newest = [...known.values()].reduce((latest, entry) => {
    const at = createdAt(entry) ?? latest;
    return at > latest ? at : latest;
  }, 0n);
  return [...found].every(([key, entry]) => known.has(key) || (createdAt(entry) ?? 0n) > newest);
}

const createdAt = (entry: SessionEntry): Nanos | undefined =>
  'session' in entry ? entry.session.createdAt : undefined;

/** Goes on from the last row that is known; goes back when rows have moved up, until one is found. */
async function readOnce(read: ReadPage, { maxPages, enoughFrom = 0n }: Reading): Promise<Pass> {
  const gathered = gather();
  let offset = 0;
  for (let pages = 1; pages <= maxPages; pages += 1) {
    const { rows, last } = await read(offset);
    if (!gathered.add(rows, offset)) {
      offset = Math.max(0, offset - Math.max(1, Math.floor(rows.length / 2)));
      continue;
    }
    if (last || gathered.isBehind(enoughFrom)) return { ...gathered.all(), pages, whole: last };
    offset += Math.max(1, rows.length - 1);
  }
  throw new ExporterError('rejected', `Could not list restore sessions: more than ${String(maxPages)} pages`);
}

/** Gathers the rows of a list, page by page. */
function gather() {
  const entries = new Map<string, SessionEntry>();
  let newestFirst = true;
  let last: Nanos | undefined;
  let overlaps = false;
  const see = (at: Nanos | undefined): void => {
    if (at === undefined) return;
    newestFirst &&= last === undefined || at <= last;
    last = at;
  };
  return {
    /** False, and nothing is added, when the page does not begin with a row that was seen: some were passed over. */
    add: (rows: readonly unknown[], offset: number): boolean => {
      const page = rows.map(keyed);
      const first = page[0]?.[0] ?? '';
      if (overlaps && offset > 0 && !entries.has(first)) return false;
      for (const [key, entry] of page) if (!entries.has(key)) see(createdAt(entry));
      for (const [key, entry] of page) entries.set(key, entry);
      overlaps = rows.length > 1;
      return true;
    },
    /** The list stands newest first so far, and has come to a session that is older. */
    isBehind: (at: Nanos): boolean => newestFirst && last !== undefined && last < at,
    all: (): Pick<Pass, 'entries' | 'newestFirst'> => ({ entries, newestFirst }),
  };
}

/** A row with what tells it from others: the session's id, or all of its text when it has none that can be read. */
function keyed(row: unknown): readonly [string, SessionEntry] {
  const entry = decodeSession(row);
  return ['session' in entry ? entry.session.id : JSON.stringify(row), entry];
}

function listOf(entries: Entries): SessionList {
  const all = [...entries.values()];
  return {
    sessions: all.flatMap(entry => ('session' in entry ? [entry.session] : [])),
    rejects: all.flatMap(entry => ('rejected' in entry ? [entry.rejected] : [])),
  };
}
