/** A set of whole numbers as sorted closed intervals that neither touch nor overlap. */
export type IntervalSet = readonly (readonly [first: number, last: number])[];

/** Whether `order` is in the set; a binary search, because a set may hold thousands of intervals. */
export function contains(orders: IntervalSet, order: number): boolean {
  let low = 0;
  let high = orders.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const [first, last] = orders[middle] ?? [0, -1];
    if (order < first) high = middle - 1;
    else if (order > last) low = middle + 1;
    else return true;
  }
  return false;
}

/** The set with these numbers added; their order and repetitions do not matter. */
export const insert = (orders: IntervalSet, added: readonly number[]): IntervalSet =>
  union(
    orders,
    added.map(order => [order, order]),
  );

/** The set with these intervals added, which may be in any order, touch and overlap. */
export function union(orders: IntervalSet, added: IntervalSet): IntervalSet {
  if (added.length === 0) return orders;
  const sorted = [...orders, ...added].toSorted(([a], [b]) => a - b);
  const merged: [number, number][] = [];
  for (const [first, last] of sorted) {
    const previous = merged.at(-1);
    if (previous !== undefined && first <= previous[1] + 1) previous[1] = Math.max(previous[1], last);
    else merged.push([first, last]);
  }
  return merged;
}

/** The holes between the lowest and the highest number. */
export const gaps = (orders: IntervalSet): IntervalSet =>
  orders.slice(1).map(([first], index) => [(orders[index]?.[1] ?? 0) + 1, first - 1] as const);

/** How many numbers the set holds. */
export const sizeOf = (orders: IntervalSet): number => orders.reduce((sum, [first, last]) => sum + last - first + 1, 0);

/** The set without holes: from its lowest number to its highest. */
export function closed(orders: IntervalSet): IntervalSet {
  const first = orders[0];
  const last = orders.at(-1);
  return first === undefined || last === undefined ? [] : [[first[0], last[1]]];
}

/** Writes the set as text, such as `0-3,5,7-900`. */
export const formatIntervalSet = (orders: IntervalSet): string =>
  orders.map(([first, last]) => (first === last ? String(first) : `${String(first)}-${String(last)}`)).join(',');

/** Reads what `formatIntervalSet` wrote. @throws {SyntaxError} if the intervals are not sorted, or are no intervals. */
export function parseIntervalSet(text: string): IntervalSet {
  if (text === '') return [];
  const orders = text.split(',').map(part => {
    const [first = '', last = first] = part.split('-');
    return [Number(first), Number(last)] as const;
  });
  if (orders.every(([first, last], index) => first <= last && first > (orders[index - 1]?.[1] ?? -1))) return orders;
  throw new SyntaxError('not a set of intervals');
}
