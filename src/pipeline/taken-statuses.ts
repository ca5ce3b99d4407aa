import { contains, formatIntervalSet, type IntervalSet, parseIntervalSet, sizeOf, union } from './interval-set.js';

/** The statuses of taken orders other than success. `given_up`: its end is unknown. */
const exceptionKeys = [
  'Running',
  'Warning',
  'Failed',
  'Cancelled',
  'Skipped',
  'other',
  'rejected',
  'given_up',
] as const;
type ExceptionKey = (typeof exceptionKeys)[number];
export type TakenStatus = ExceptionKey | 'Success';

/** The orders of a cursor that were not taken as a success. The other orders were. */
export type Exceptions = Readonly<Partial<Record<ExceptionKey, IntervalSet>>>;

/** Orders by the status that they were taken with: intervals in any order. */
type OrdersByStatus = ReadonlyMap<TakenStatus, IntervalSet>;

/** Limits the size of a cursor. Beyond it the statuses of its orders are unknown. */
const maxExceptions = 500;

/** Adds orders. Undefined: no exceptions, or too many. */
export function withExceptions(before: Exceptions | undefined, added: OrdersByStatus): Exceptions | undefined {
  const keys = exceptionKeys.filter(key => (added.get(key) ?? []).length > 0);
  if (keys.length === 0) return before;
  const changed = keys.map(key => [key, union(before?.[key] ?? [], added.get(key) ?? [])] as const);
  const after: Exceptions = { ...before, ...Object.fromEntries(changed) };
  const intervals = Object.values(after).reduce((sum, orders) => sum + orders.length, 0);
  return intervals > maxExceptions ? undefined : after;
}

const countedKeys = exceptionKeys.filter(key => key !== 'given_up');

type ExceptionCounts = Readonly<Partial<Record<ExceptionKey, number>>>;

/** Whether the exceptions account for all of the tally. Those of an older version, and of too many exceptions, do not. */
export const isAccountedFor = (exceptions: Exceptions | undefined, tally: ExceptionCounts): boolean =>
  countedKeys.every(key => sizeOf(exceptions?.[key] ?? []) === (tally[key] ?? 0));

/** The status that an order of the cursor was taken with. */
export const statusAt = (exceptions: Exceptions | undefined, order: number): TakenStatus =>
  exceptions === undefined
    ? 'Success'
    : (exceptionKeys.find(key => contains(exceptions[key] ?? [], order)) ?? 'Success');

/** Writes exceptions as text, such as `Failed=3,5-7&Warning=9`. */
export const formatExceptions = (exceptions: Exceptions): string =>
  exceptionKeys
    .flatMap(key => (exceptions[key] === undefined ? [] : [`${key}=${formatIntervalSet(exceptions[key])}`]))
    .join('&');

/** Reads what `formatExceptions` wrote. */
export function parseExceptions(text: string): Exceptions | undefined {
  if (text === '') return undefined;
  const parts = text.split('&').map(part => part.split('='));
  return Object.fromEntries(parts.map(([key = '', orders = '']) => [key, parseIntervalSet(orders)]));
}
