import { ExporterError } from '../kernel/errors.js';
import type { SessionList } from '../pipeline/ports.js';
import { decodeSession, type SessionEntry } from './decode-session.js';
import type { Page } from './page.js';

type Bounds = Readonly<{ maxPages: number; restarts: number }>;
type Entries = ReadonlyMap<string, SessionEntry>;

/**
 * Reads a whole list of sessions through `read`, which gives the page at an offset. Each page but the first begins
 * with the last row of the one before: when that row is one not seen yet, sessions were removed and the rows moved up,
 * so some were passed over, and reading begins again. Rows that move down are only read twice.
 * @throws {ExporterError} `rejected` when the list has more pages than the bound, or does not hold still.
 */
export async function readSessionList(read: (offset: number) => Promise<Page>, bounds: Bounds): Promise<SessionList> {
  for (let restart = 0; restart <= bounds.restarts; restart += 1) {
    const entries = await readOnce(read, bounds.maxPages);
    if (entries !== undefined) return listOf([...entries.values()]);
  }
  throw new ExporterError('rejected', 'Could not list restore sessions: sessions kept being removed from the list');
}

/** Undefined when rows have moved up meanwhile. */
async function readOnce(read: (offset: number) => Promise<Page>, maxPages: number): Promise<Entries | undefined> {
  const seen = new Map<string, SessionEntry>();
  let offset = 0;
  let overlap = false;
  for (let pages = 0; pages < maxPages; pages += 1) {
    const { rows, last } = await read(offset);
    const entries = rows.map(keyed);
    if (overlap && !seen.has(entries[0]?.[0] ?? '')) return undefined;
    for (const [key, entry] of entries) seen.set(key, entry);
    if (last) return seen;
    overlap = rows.length > 1;
    offset += Math.max(1, rows.length - 1);
  }
  throw new ExporterError('rejected', `Could not list restore sessions: more than ${String(maxPages)} pages`);
}

/** A row with what tells it from others: the session's id, or all of its text when it has none that can be read. */
function keyed(row: unknown): readonly [string, SessionEntry] {
  const entry = decodeSession(row);
  return ['session' in entry ? entry.session.id : JSON.stringify(row), entry];
}

const listOf = (entries: readonly SessionEntry[]): SessionList => ({
  sessions: entries.flatMap(entry => ('session' in entry ? [entry.session] : [])),
  rejects: entries.flatMap(entry => ('rejected' in entry ? [entry.rejected] : [])),
});
