import { ExporterError } from '../kernel/errors.js';
import { type ApiVersion, isAtLeast } from '../model/api-versions.js';
import { type Session, textLength } from '../model/session.js';
import { formatInstant, type Nanos } from '../model/time.js';
import type { SessionFilter, SessionList } from '../pipeline/ports.js';
import type { Connection } from './connection.js';
import { decodeSession, type SessionEntry } from './decode-session.js';
import { adaptivePages, decodePage, type Page, type PageRange, query } from './page.js';
import { okJson } from './request-errors.js';

/** A list with more pages is an error. */
const listPages = 1_000;
/** A list with more sessions is an error, too. */
const longestList = 200_000;
/** Maximum number of characters in a list: a fixed part, and a part per session. A session has about 300. */
const [longestText, longestSession] = [8 * 1024 * 1024, 512];
/** How often a list without a guaranteed order is read again. */
const listRestarts = 4;
/** Without a time filter, the whole list is read this often. */
const fullReadMs = 3_600_000;

/**
 * Lists sessions. v8 lists oldest first on request, so new sessions move no row. v6 and v7 have a time filter, but no
 * documented order. Before v6 there is neither: the list is read from its beginning, and not to its end as long as the
 * last full read, an hour ago at most, found it newest first.
 */
export function sessionReader(connection: Connection, now: () => Nanos) {
  const { clock, sessionLimit } = connection.settings;
  const readPage = adaptivePages(sessionLimit);
  let trustedUntilMs = -Infinity;

  return async (createdFrom: Nanos | undefined, signal: AbortSignal, isKept?: SessionFilter): Promise<SessionList> => {
    const apiVersion = await connection.versions.current(signal);
    const filter = filterOf(apiVersion, createdFrom);
    const page = async (offset: number): Promise<Page> =>
      readPage(async limit => readSessionPage(connection, { offset, limit, filter }, signal));
    const ordered = isAtLeast(apiVersion, 'v8');
    const isTrusted = !isAtLeast(apiVersion, 'v6') && clock.monotonic() < trustedUntilMs;
    const enoughFrom = isTrusted ? createdFrom : undefined;
    const bounds = { maxPages: listPages, restarts: listRestarts };
    const list = await readSessionList(page, { ...bounds, ordered, enoughFrom, now, isKept });
    if (!list.newestFirst) trustedUntilMs = -Infinity;
    else if (list.whole) trustedUntilMs = clock.monotonic() + fullReadMs;
    return { sessions: list.sessions, rejects: list.rejects };
  };
}

type Filter = Readonly<Record<string, string>>;

/** Reads one page of the list. @throws {ExporterError} as a request does. */
export async function readSessionPage(
  connection: Connection,
  { offset, limit, filter }: PageRange & Readonly<{ filter: Filter }>,
  signal: AbortSignal,
) {
  const path = `RestoreSessions${query({ offset, limit, ...filter })}`;
  const answer = await connection.get('sessions', path, signal, { rows: limit });
  const page = decodePage(okJson('sessions', answer), { operation: 'sessions', offset, limit });
  return { page, tookMs: answer.tookMs };
}

/** Query parameters for time filter and order, as far as the version has them. */
export function filterOf(apiVersion: ApiVersion, createdFrom: Nanos | undefined): Filter {
  const filtered = createdFrom !== undefined && isAtLeast(apiVersion, 'v6');
  return {
    // The filter excludes its bound: "after" in the vendor's text. A tick is 100 ns.
    ...(filtered ? { startTimeFrom: formatInstant(createdFrom - 100n) } : {}),
    ...(isAtLeast(apiVersion, 'v8') ? { orderBy: 'CreationTime', orderAsc: 'true' } : {}),
  };
}

type ListOptions = Readonly<{
  maxPages: number;
  /** How often a list without a guaranteed order is read again. */
  restarts: number;
  /** Rows are guaranteed to be in order of creation. Otherwise a list of several pages is read until nothing new appears. */
  ordered: boolean;
  /** Server time. */
  now: () => Nanos;
  /** The list is known to be newest first: reading stops at a page that ends with an older session. */
  enoughFrom?: Nanos | undefined;
  /** Of the other sessions only the ids are kept, while the list is read. Default: all are kept. */
  isKept?: SessionFilter | undefined;
}>;

type ReadList = SessionList &
  Readonly<{
    /** Each row was as old as the row before it, or older. */
    newestFirst: boolean;
    /** The end of the list was read. */
    whole: boolean;
  }>;

/** A session that is not kept leaves its time of creation. */
type ListEntry = SessionEntry | Readonly<{ creation: Nanos | undefined }>;
type Entries = ReadonlyMap<string, ListEntry>;
export type ReadPage = (offset: number) => Promise<Page>;

/**
 * Reads every session that is in the list throughout, whatever is added or removed while it reads. `read` reads the page
 * at an offset. Each page but the first begins with the last row of the page before. When that row is unknown, sessions
 * were removed and rows moved up, so some were skipped: reading goes back until a page begins with a known row. Rows that
 * move down are only read twice. The next pass finds a session that jumped to a place already read.
 * @throws {ExporterError} `rejected` when the list has more than `maxPages` pages, or keeps changing.
 */
export async function readSessionList(read: ReadPage, options: ListOptions): Promise<ReadList> {
  let known: Map<string, ListEntry> | undefined;
  for (let pass = 0; pass <= options.restarts; pass += 1) {
    const found = await readOnce(read, options);
    const certain = options.ordered || found.pages === 1 || !found.whole;
    const isComplete = certain || (known !== undefined && addsNothing(known, found.entries));
    known ??= new Map();
    for (const [key, entry] of found.entries) known.set(key, entry);
    if (isComplete) return { ...found, ...listOf(known) };
  }
  throw new ExporterError('rejected', 'Could not list restore sessions: the list keeps changing while it is read');
}

/** Whether each session found was known, or newer than all known ones: then none had been skipped. */
function addsNothing(known: Entries, found: Entries): boolean {
  const newest = known.values().reduce((latest, entry) => later(latest, createdAt(entry)), 0n);
  return found.entries().every(([key, entry]) => known.has(key) || (createdAt(entry) ?? 0n) > newest);
}

const later = (latest: Nanos, at: Nanos | undefined): Nanos => (at !== undefined && at > latest ? at : latest);

const createdAt = (entry: ListEntry): Nanos | undefined => ('creation' in entry ? entry.creation : undefined);

async function readOnce(read: ReadPage, { maxPages, enoughFrom = 0n, now, isKept = async page => page }: ListOptions) {
  const rowsRead = new RowsRead(now, isKept);
  let offset = 0;
  for (let pages = 1; pages <= maxPages; pages += 1) {
    const { rows, last } = await read(offset);
    if (!(await rowsRead.add(rows, offset))) {
      offset = Math.max(0, offset - Math.max(1, Math.floor(rows.length / 2)));
      continue;
    }
    const { entries, newestFirst } = rowsRead;
    checkLength(rowsRead);
    if (last || rowsRead.isPast(enoughFrom)) return { entries, newestFirst, pages, whole: last };
    offset += Math.max(1, rows.length - 1);
  }
  throw new ExporterError('rejected', `Could not list restore sessions: more than ${String(maxPages)} pages`);
}

function checkLength({ entries, characters }: RowsRead): void {
  if (entries.size > longestList)
    throw new ExporterError('rejected', `Could not list restore sessions: more than ${String(longestList)}`);
  const most = longestText + longestSession * entries.size;
  if (characters > most)
    throw new ExporterError(
      'rejected',
      `Could not list restore sessions: their texts are longer than ${String(most)} characters`,
    );
}

/** The rows of a list, page by page. */
class RowsRead {
  readonly entries = new Map<string, ListEntry>();
  newestFirst = true;
  /** Of all texts that are kept. */
  characters = 0;
  #last: Nanos | undefined;
  #overlaps = false;
  readonly #now: () => Nanos;
  readonly #isKept: SessionFilter;

  constructor(now: () => Nanos, isKept: SessionFilter) {
    this.#now = now;
    this.#isKept = isKept;
  }

  /** False, and nothing is added, when the page does not begin with a known row: some were skipped. */
  async add(rows: readonly unknown[], offset: number): Promise<boolean> {
    const readAt = this.#now();
    const page = rows.map(row => keyed(row, readAt));
    const first = page[0]?.[0] ?? '';
    if (this.#overlaps && offset > 0 && !this.entries.has(first)) return false;
    for (const [key, entry] of page) if (!this.entries.has(key)) this.#compare(createdAt(entry));
    const sessions = page.flatMap(([, entry]) => ('session' in entry ? [entry.session] : []));
    const kept = new Set((await this.#isKept(sessions)).map(({ id }) => id));
    for (const [key, entry] of page) this.#keep(key, entry, kept);
    this.#overlaps = rows.length > 1;
    return true;
  }

  /** The list is newest first so far and has reached a session older than `at`. */
  isPast(at: Nanos): boolean {
    return this.newestFirst && this.#last !== undefined && this.#last < at;
  }

  #keep(key: string, entry: SessionEntry, keptIds: ReadonlySet<string>): void {
    const kept = 'session' in entry && !keptIds.has(key) ? { creation: entry.creation } : entry;
    if (!this.entries.has(key)) this.characters += 'session' in kept ? textLength(kept.session) : key.length;
    this.entries.set(key, kept);
  }

  #compare(at: Nanos | undefined): void {
    if (at === undefined) return;
    this.newestFirst &&= this.#last === undefined || at <= this.#last;
    this.#last = at;
  }
}

/** A row with what identifies it across reads: the session's id, or all of its text when it has no readable id. */
export function keyed(row: unknown, readAt: Nanos): readonly [key: string, entry: SessionEntry] {
  const entry = decodeSession(row, readAt);
  return ['session' in entry ? entry.session.id : JSON.stringify(row ?? null), entry];
}

function listOf(entries: Entries): SessionList {
  const sessions: Session[] = [];
  const rejects: string[] = [];
  for (const entry of entries.values()) {
    if ('session' in entry) sessions.push(entry.session);
    else if ('rejected' in entry) rejects.push(entry.rejected);
  }
  return { sessions, rejects };
}
