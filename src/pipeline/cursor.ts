import { ExporterError } from '../kernel/errors.js';
import { eventStatuses, itemTypes } from '../model/event.js';
import type { Nanos } from '../model/time.js';
import { formatIntervalSet, type IntervalSet, parseIntervalSet } from './interval-set.js';
import { type Exceptions, formatExceptions, parseExceptions } from './taken-statuses.js';

/** What a tally counts: events by final status, rejected rows and duplicates. */
const tallyKeys = [...eventStatuses, 'other', 'rejected', 'duplicate'] as const;
export type TallyKey = (typeof tallyKeys)[number];
export type Tally = Readonly<Partial<Record<TallyKey, number>>>;

/** What one sink has taken of one session. */
export type Cursor = Readonly<{
  /** The `order`s that are done: taken, history, rejected or given up. */
  taken: IntervalSet;
  tally: Tally;
  /** Whether the session's result has been taken. */
  resultTaken: boolean;
  /** End of the session when it was done; a later one means that it was opened again. */
  endedAt?: Nanos | undefined;
  /** The orders that were not taken as a success; undefined for none, or too many. Only the log needs them. */
  exceptions?: Exceptions | undefined;
  /** The type of an item that was taken as failed, the first in `itemTypes`; `counted` once the session's failure is. */
  failed?: FailedItem | undefined;
}>;

const failedItems = [...itemTypes, 'counted'] as const;
type FailedItem = (typeof failedItems)[number];

/** Stored cursors have this word for `rejected`: older versions wrote it. */
const storedRejected = 'set_aside';

export const startCursor: Cursor = { taken: [], tally: {}, resultTaken: false };

/**
 * Writes a cursor for the store: `0-3,5;Success=4,Failed=1;result`, then the end in nanoseconds, the exceptions and the failed
 * item, each after a `;`, up to the last one that it has.
 */
export function formatCursor({ taken, tally, resultTaken, endedAt, exceptions, failed }: Cursor): string {
  const counts = tallyKeys.flatMap(key => (tally[key] === undefined ? [] : [`${key}=${String(tally[key])}`]));
  const end = endedAt === undefined ? '' : String(endedAt);
  const others = exceptions === undefined ? '' : formatExceptions(exceptions);
  const rest = [end, others, failed ?? ''];
  const length = rest.findLastIndex(part => part !== '') + 1;
  const parts = [formatIntervalSet(taken), counts.join(','), resultTaken ? 'result' : '', ...rest.slice(0, length)];
  return parts.join(';').replaceAll('rejected', storedRejected);
}

/** Reads what `formatCursor` wrote. @throws {SyntaxError} for anything else. */
export function parseCursor(text: string): Cursor {
  const parts = text.replaceAll(storedRejected, 'rejected').split(';');
  const [taken = '', counts = '', result = '', , others = '', item] = parts;
  const pairs = [...counts.matchAll(/(\w+)=(\d+)/g)].map(([, key = '', count]) => [key, Number(count)] as const);
  const tally: Tally = Object.fromEntries(pairs);
  const cursor = {
    taken: parseIntervalSet(taken),
    tally,
    resultTaken: result === 'result',
    endedAt: endOf(text),
    exceptions: parseExceptions(others),
    failed: failedItems.find(one => one === item),
  };
  if (formatCursor(cursor) !== text) throw new SyntaxError('not a cursor');
  return cursor;
}

/** Only the `endedAt` of what `formatCursor` wrote: every poll needs that of every session. @throws {SyntaxError} as `parseCursor`. */
export function endOf(text: string): Nanos | undefined {
  const [, , , end = ''] = text.split(';', 4);
  return end === '' ? undefined : BigInt(end);
}

/** What `parse` reads of a stored cursor. @throws {ExporterError} `store` when it is damaged. */
export function ofStored<T>(
  row: Readonly<{ session: string; sink: string; cursor: string }>,
  parse: (text: string) => T,
): T {
  try {
    return parse(row.cursor);
  } catch {
    const what = `the cursor of sink "${row.sink}" for restore session ${row.session}`;
    const advice = 'restore a backup of the state, or remove this server from it with "vb365-exporter state forget"';
    throw new ExporterError('store', `Could not use ${what}: it is damaged; ${advice}`);
  }
}
