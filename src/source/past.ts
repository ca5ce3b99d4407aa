import { type ExporterError, type Reason, toExporterError } from '../kernel/errors.js';
import { createSemaphore } from '../kernel/semaphore.js';
import { isAtLeast } from '../model/api-versions.js';
import { Connection } from './connection.js';
import { isJsonObject, longestName, parseJson, text } from './json.js';
import type { RestOptions } from './options.js';
import { decodePage, query } from './page.js';
import { withRetries } from './retries.js';
import { failure, okJson, statusFailure } from './request-errors.js';
import { type RestSource, sourceOver } from './rest.js';

/** The server's own count of the items of a session (v8). */
type RestoreStatistics = Readonly<{ total: number; restored: number; failed: number; skipped: number }>;

/** An organization that the server backs up: its name, and the one at Microsoft. */
type BackedUpOrganization = Readonly<{ name: string; officeName: string }>;

/** What the server did not say, after all attempts: owners without a name, sessions without statistics, organizations. */
type Gaps = Readonly<{ owners: number; statistics: number; organizations: boolean }>;

/** A server whose past is read. Transient errors are retried. */
export interface PastSource extends RestSource {
  /** Undefined before v8, and when the server has no usable statistics. @throws {ExporterError} as a request does. */
  statistics(sessionId: string, signal: AbortSignal): Promise<RestoreStatistics | undefined>;
  /** None before v8, and when they cannot be read, which is a gap. @throws {ExporterError} `network`, `aborted`. */
  organizations(signal: AbortSignal): Promise<readonly BackedUpOrganization[]>;
  gaps(): Gaps;
}

/** How long a page waits for the names of its owners: nobody waits for an old event. */
const ownerWaitMs = 600_000;
const ownerTimeoutMs = 30_000;
const attempts = 6;

/** As `restSource`, with a separate login, and at most `concurrency` requests at a time. */
export function pastSource({ concurrency, ...options }: RestOptions & Readonly<{ concurrency: number }>): PastSource {
  const { clock, random } = options;
  const owners = new Set<string>();
  const connection = new Connection({
    ...options,
    semaphore: createSemaphore(concurrency),
    ownerWaitMs,
    ownerTimeoutMs,
    ownerAttempts: attempts,
    ownerUnanswered: key => void owners.add(key),
    // A second request for a late answer would be one more at a time.
    repeatMs: 2 ** 31 - 1,
    semaphoreHoldMs: 2 ** 31 - 1,
  });
  const source = sourceOver(connection);
  const repeated = { clock, random, attempts };
  let [statistics, organizations] = [0, false];
  return {
    ...source,
    instance: async signal =>
      withRetries(async () => source.instance(signal), { ...repeated, signal, isRetried: isAnswered }),
    sessions: async (from, signal, isKept) =>
      withRetries(async () => source.sessions(from, signal, isKept), { ...repeated, signal }),
    session: async (id, signal) => withRetries(async () => source.session(id, signal), { ...repeated, signal }),
    events: async (id, offset, signal) =>
      withRetries(async () => source.events(id, offset, signal), { ...repeated, signal }),
    statistics: async (id, signal) => {
      // A server that cannot count the items of one session may fare no better with the others.
      const patience = { ...repeated, signal, attempts: statistics === 0 ? attempts : 2 };
      return withRetries(async () => readStatistics(connection, id, signal), patience).catch((thrown: unknown) => {
        if (!uncounted.has(toExporterError(thrown).reason)) throw thrown;
        statistics += 1;
        return undefined;
      });
    },
    organizations: async signal =>
      withRetries(async () => readOrganizations(connection, signal), { ...repeated, signal }).catch(
        (thrown: unknown) => {
          if (!unlisted.has(toExporterError(thrown).reason)) throw thrown;
          organizations = true;
          return [];
        },
      ),
    gaps: () => ({ owners: owners.size, statistics, organizations }),
  };
}

/** Whether a server is there: a wrong address or certificate does not get better. */
const isAnswered = ({ reason, details }: ExporterError): boolean =>
  reason === 'server' || reason === 'throttled' || (reason === 'network' && details['connected'] === true);

/** Failures of the count alone, as far as one request can tell. */
const uncounted: ReadonlySet<Reason> = new Set(['server', 'throttled', 'timeout']);

/** As `uncounted`, or the account may not read organizations, or they are no list. */
const unlisted: ReadonlySet<Reason> = new Set([...uncounted, 'auth', 'decode', 'rejected']);

const organizationsOfPage = 1_000;

async function readOrganizations(
  connection: Connection,
  signal: AbortSignal,
): Promise<readonly BackedUpOrganization[]> {
  if (!isAtLeast(await connection.versions.current(signal), 'v8')) return [];
  const found = new Map<string, BackedUpOrganization>();
  for (let offset = 0; ;) {
    const range = { offset, limit: organizationsOfPage };
    const answer = await connection.get('owners', `Organizations${query(range)}`, signal, { rows: range.limit });
    const page = decodePage(okJson('owners', answer), { operation: 'owners', ...range });
    const before = found.size;
    for (const row of page.rows.filter(isJsonObject)) {
      const [name, officeName] = [text(row['name'], longestName), text(row['officeName'], longestName)];
      if (name !== '') found.set(name, { name, officeName });
    }
    if (page.last) return [...found.values()];
    if (found.size === before) throw failure('owners', 'rejected', 'the pages repeat');
    offset += page.rows.length;
  }
}

/** The answer lists every item, too. */
const rowsOfStatistics = 10_000;

async function readStatistics(
  connection: Connection,
  sessionId: string,
  signal: AbortSignal,
): Promise<RestoreStatistics | undefined> {
  if (!isAtLeast(await connection.versions.current(signal), 'v8')) return undefined;
  const path = `RestoreSessions/${encodeURIComponent(sessionId)}/Statistics`;
  const answer = await connection.get('session', path, signal, { rows: rowsOfStatistics });
  if (answer.status === 429 || answer.status >= 500) throw statusFailure('session', answer);
  const json = answer.status === 200 ? parseJson(answer.body) : undefined;
  if (!isJsonObject(json)) return undefined;
  const count = (name: string): number => (Number.isSafeInteger(json[name]) ? Number(json[name]) : NaN);
  const found = {
    total: count('totalItemsCount'),
    restored: count('restoredItemsCount'),
    failed: count('failedItemsCount'),
    skipped: count('skippedItemsCount'),
  };
  return Object.values(found).includes(NaN) ? undefined : found;
}
