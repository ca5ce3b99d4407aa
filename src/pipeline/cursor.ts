import { eventStatuses } from '../model/event.js';
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
}>;

/** Stored cursors have this word for `rejected`: older versions wrote it. */
const storedRejected = 'set_aside';

export const startCursor: Cursor = { taken: [], tally: {}, resultTaken: false };

/**
 * Writes a cursor for the store: `0-3,5;Success=4,Failed=1;result`, then `;` and the end in nanoseconds, then `;` and the
 * exceptions, as far as it has them.
 */
export function formatCursor({ taken, tally, resultTaken, endedAt, exceptions }: Cursor): string {
  const counts = tallyKeys.flatMap(key => (tally[key] === undefined ? [] : [`${key}=${String(tally[key])}`]));
  const end = endedAt === undefined ? '' : String(endedAt);
  const others = exceptions === undefined ? '' : formatExceptions(exceptions);
  const rest = others !== '' ? [end, others] : end !== '' ? [end] : [];
  const parts = [formatIntervalSet(taken), counts.join(','), resultTaken ? 'result' : '', ...rest];
  return parts.join(';').replaceAll('rejected', storedRejected);
}

/** Reads what `formatCursor` wrote. */
export function parseCursor(text: string): Cursor {
  const [taken = '', counts = '', result = '', , others = ''] = text.replaceAll(storedRejected, 'rejected').split(';');
  const pairs = [...counts.matchAll(/(\w+)=(\d+)/g)].map(([, key = '', count]) => [key, Number(count)] as const);
  const tally: Tally = Object.fromEntries(pairs);
  const exceptions = parseExceptions(others);
  return { taken: parseIntervalSet(taken), tally, resultTaken: result === 'result', endedAt: endOf(text), exceptions };
}

/** Only the `endedAt` of what `formatCursor` wrote: every poll needs that of every session. */
export function endOf(text: string): Nanos | undefined {
  const [, , , end = ''] = text.split(';', 4);
  return end === '' ? undefined : BigInt(end);
}
