import { createSemaphore } from '../kernel/semaphore.js';
import { isAtLeast } from '../model/api-versions.js';
import { Connection } from './connection.js';
import { isJsonObject, parseJson } from './json.js';
import type { RestOptions } from './options.js';
import { type RestSource, sourceOver } from './rest.js';

/** The server's own count of the items of a session (v8). */
type RestoreStatistics = Readonly<{ total: number; restored: number; failed: number; skipped: number }>;

/** A server whose past is read. */
export interface PastSource extends RestSource {
  /** Undefined before v8, and when the server has no usable statistics. @throws {ExporterError} as a request does. */
  statistics(sessionId: string, signal: AbortSignal): Promise<RestoreStatistics | undefined>;
}

/** How long a page waits for the names of its owners: nobody waits for an old event. */
const ownerWaitMs = 30_000;

/** As `restSource`, with a separate login, and one request at a time. */
export function pastSource(options: RestOptions): PastSource {
  const connection = new Connection({
    ...options,
    semaphore: createSemaphore(1),
    ownerWaitMs,
    ownerTimeoutMs: ownerWaitMs,
    // A second request for a late answer would be a second request at a time.
    repeatMs: 2 ** 31 - 1,
    semaphoreHoldMs: 2 ** 31 - 1,
  });
  return { ...sourceOver(connection), statistics: async (id, signal) => readStatistics(connection, id, signal) };
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
