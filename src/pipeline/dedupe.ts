import { type AnomalyKind, eventTime, isFinal, type RejectReason, type RestoreEvent } from '../model/event.js';
import type { Nanos } from '../model/time.js';
import type { Cursor, Tally, TallyKey } from './cursor.js';
import { gaps, contains, type IntervalSet, sizeOf, insert } from './interval-set.js';
import type { EventPage, EventRow } from './ports.js';

/** How far one reading of a session has come: from where it began through the pages read so far. */
export type ReadProgress = Readonly<{
  /** Where the next page begins. */
  offset: number;
  /** The `order` that the first row must have, for the row before the first hole to be the one we know. */
  expected: number | undefined;
  /** It began at row 0, so it sees everything. */
  full: boolean;
  /** It began with nothing taken. */
  first: boolean;
  /** Server time at which its first page was asked for. */
  readAt: Nanos | undefined;
  /** How many rows it has found that were not known. */
  fresh: number;
  tally: Tally;
  /** Orders of rows that are not final yet. */
  unfinished: readonly number[];
  /** Ids by order of the last page, to tell a second event with one order from one row seen twice. */
  ids: ReadonlyMap<number, string>;
}>;

export type ReadContext = Readonly<{
  sessionOpen: boolean;
  /** Events that happened before are history: passed over. */
  since: Nanos;
}>;

/** What a page brings: the events to take, in the page's order, and the cursor that stands once they are taken. */
export type PageResult = Readonly<{
  cursor: Cursor;
  pass: ReadProgress;
  events: readonly RestoreEvent[];
  rejected: readonly RejectReason[];
  anomalies: readonly AnomalyKind[];
  /** Orders given up to keep the cursor within bounds. */
  abandoned: number;
}>;

/** A cursor may not grow without bound however a server numbers its events (design, section 3). */
const maxIntervals = 10_000;

const freshPass = { readAt: undefined, fresh: 0, tally: {}, unfinished: [], ids: new Map<number, string>() } as const;

/** A reading of everything, from row 0. */
export const fullRead = (cursor: Cursor): ReadProgress => ({
  ...freshPass,
  offset: 0,
  expected: undefined,
  full: true,
  first: cursor.taken.length === 0,
});

/** A reading of what may be new: from the first hole on, overlapping the row before it. */
export function incrementalRead(cursor: Cursor): ReadProgress {
  const interval = cursor.taken[0];
  if (interval === undefined || interval[0] === interval[1]) return fullRead(cursor);
  const [lowest, last] = interval;
  return { ...freshPass, offset: last - lowest, expected: last, full: false, first: false };
}

/** Whether the page begins with another row than the cursor expects, so that its position proves nothing. */
export const misses = (pass: ReadProgress, page: EventPage): boolean =>
  pass.expected !== undefined && page.rows[0]?.order !== pass.expected;

/**
 * What is new in a page. Neither the order of rows nor their repetition matters: an event is known by its `order`, and
 * taken when its status is final, once.
 */
export function dedupe(cursor: Cursor, pass: ReadProgress, page: EventPage, reading: ReadContext): PageResult {
  const draft = draftOf(cursor, pass);
  for (const row of page.rows) takeRow(draft, row, cursor, reading);
  const taken = bounded(insert(cursor.taken, draft.orders));
  return {
    cursor: { ...cursor, taken: taken.orders, tally: draft.cursorTally },
    pass: {
      ...pass,
      offset: page.offset + page.rows.length,
      expected: undefined,
      readAt: pass.readAt ?? page.readAt,
      fresh: pass.fresh + draft.orders.length,
      tally: draft.passTally,
      unfinished: [...pass.unfinished, ...draft.unfinished],
      ids: draft.ids,
    },
    events: draft.events,
    rejected: draft.rejected,
    anomalies: [...page.anomalies, ...draft.anomalies],
    abandoned: taken.given,
  };
}

type PageAccumulator = {
  events: RestoreEvent[];
  rejected: RejectReason[];
  anomalies: AnomalyKind[];
  orders: number[];
  unfinished: number[];
  ids: Map<number, string>;
  previousIds: ReadonlyMap<number, string>;
  cursorTally: Partial<Record<TallyKey, number>>;
  passTally: Partial<Record<TallyKey, number>>;
};

const draftOf = (cursor: Cursor, pass: ReadProgress): PageAccumulator => ({
  events: [],
  rejected: [],
  anomalies: [],
  orders: [],
  unfinished: [],
  ids: new Map(),
  previousIds: pass.ids,
  cursorTally: { ...cursor.tally },
  passTally: { ...pass.tally },
});

function takeRow(draft: PageAccumulator, row: EventRow, cursor: Cursor, reading: ReadContext): void {
  const id = 'event' in row ? row.event.id : row.id;
  const earlier = draft.ids.get(row.order) ?? draft.previousIds.get(row.order);
  if (earlier !== undefined) {
    if (earlier !== id) setDuplicateAside(draft, row.order);
    return;
  }
  draft.ids.set(row.order, id);
  const known = contains(cursor.taken, row.order);
  if ('event' in row) takeEvent(draft, row.event, known, reading);
  else takeReject(draft, row.order, row.rejected, known);
}

function takeEvent(
  draft: PageAccumulator,
  event: RestoreEvent,
  known: boolean,
  { sessionOpen, since }: ReadContext,
): void {
  if (!isFinal(event, sessionOpen)) {
    if (!known) draft.unfinished.push(event.order);
    return;
  }
  count(draft.passTally, event.status.label);
  if (known) return;
  draft.orders.push(event.order);
  count(draft.cursorTally, event.status.label);
  if (eventTime(event) >= since) draft.events.push(event);
}

function takeReject(draft: PageAccumulator, order: number, reason: RejectReason, known: boolean): void {
  count(draft.passTally, 'set_aside');
  if (known) return;
  draft.orders.push(order);
  count(draft.cursorTally, 'set_aside');
  draft.rejected.push(reason);
}

/** Counted with the row that it doubles: when that one is known already, the last reading makes up for it. */
function setDuplicateAside(draft: PageAccumulator, order: number): void {
  count(draft.passTally, 'duplicate');
  if (!draft.orders.includes(order)) return;
  count(draft.cursorTally, 'duplicate');
  draft.rejected.push('duplicate_order');
  draft.anomalies.push('duplicate_order');
}

function count(tally: Partial<Record<TallyKey, number>>, key: TallyKey): void {
  tally[key] = (tally[key] ?? 0) + 1;
}

/** Gives up the lowest holes of a set that has too many. */
function bounded(orders: IntervalSet): Readonly<{ orders: IntervalSet; given: number }> {
  const excess = orders.length - maxIntervals;
  const from = orders[0];
  const to = orders[excess];
  if (excess <= 0 || from === undefined || to === undefined) return { orders, given: 0 };
  const given = sizeOf(gaps(orders.slice(0, excess + 1)));
  return { orders: [[from[0], to[1]], ...orders.slice(excess + 1)], given };
}
