import {
  type AnomalyKind,
  eventTime,
  isFinal,
  itemTypes,
  type RejectReason,
  type RestoreEvent,
} from '../model/event.js';
import { type Nanos, seconds } from '../model/time.js';
import type { Cursor, Tally, TallyKey } from './cursor.js';
import { closed, contains, gaps, insert, type IntervalSet } from './interval-set.js';
import type { EventPage, EventRow } from './ports.js';
import { type Exceptions, isAccountedFor, statusAt, type TakenStatus, withExceptions } from './taken-statuses.js';

/** How far one reading of a session has come: where it began, and what its pages held so far. */
export type ReadProgress = Readonly<{
  /** Row at which the next page begins. */
  offset: number;
  /** The `order` that the first row must have: that of the last row before the first hole. */
  expected: number | undefined;
  /** The reading began at row 0, so it sees every row. */
  full: boolean;
  /** The reading began with an empty cursor. */
  first: boolean;
  /** Server time at which its first page was requested. */
  readAt: Nanos | undefined;
  /** How many rows were new. */
  fresh: number;
  tally: Tally;
  /** Orders of rows that are not a success; undefined for none, or too many. */
  exceptions?: Exceptions | undefined;
  /** Events whose status is not the one that they were taken with; at most 1,000. */
  changed: readonly ChangedEvent[];
  /** Events with an order that was taken before, by another event; at most 1,000. */
  duplicates: readonly RejectedRow[];
  /** Orders of rows that are not final yet. */
  unfinished: readonly number[];
  /** Ids by order of the last page, to distinguish a second event with the same order from a repeated row. */
  ids: ReadonlyMap<number, string>;
}>;

export type DedupeContext = Readonly<{
  sessionOpen: boolean;
  /** When the session was created, server time; undefined while that is not known. */
  createdAt?: Nanos | undefined;
  /** When the session stopped, server time; undefined while it is open. */
  stoppedAt?: Nanos | undefined;
  /** Events that happened before are history: counted as taken, not delivered. Server time. */
  since: Nanos;
}>;

/** A row that cannot be delivered. `id` is `''` when it could not be read. */
export type RejectedRow = Readonly<{ order: number; id: string; reason: RejectReason }>;

/** An event that was taken with the status `was`. `id` is `''` when it could not be read. */
export type ChangedEvent = Readonly<{ order: number; id: string; was: TakenStatus; status: TakenStatus }>;

/** The events of a page to deliver, in the page's order, and the cursor after them. */
export type PageResult = Readonly<{
  cursor: Cursor;
  progress: ReadProgress;
  events: readonly RestoreEvent[];
  rejected: readonly RejectedRow[];
  anomalies: readonly AnomalyKind[];
  /** Orders given up to keep the cursor small. */
  abandoned: IntervalSet;
}>;

const maxChanged = 1_000;

/** Limits the size of a cursor, however a server numbers its events. */
const maxIntervals = 10_000;

/** A reading of all rows. */
export const fullRead = (cursor: Cursor): ReadProgress => ({
  offset: 0,
  expected: undefined,
  full: true,
  first: cursor.taken.length === 0,
  readAt: undefined,
  fresh: 0,
  tally: {},
  changed: [],
  duplicates: [],
  unfinished: [],
  ids: new Map(),
});

/** A reading of what may be new: from the first hole on, including the row before it. */
export function incrementalRead(cursor: Cursor): ReadProgress {
  const interval = cursor.taken[0];
  if (interval === undefined || interval[0] === interval[1]) return fullRead(cursor);
  const [lowest, last] = interval;
  return { ...fullRead(cursor), offset: last - lowest, expected: last, full: false };
}

/** Whether the page begins with another row than the cursor expects: the rows have moved, and all must be read. */
export const misses = ({ expected }: ReadProgress, page: EventPage): boolean =>
  expected !== undefined && page.rows[0]?.order !== expected;

/** Splits a page into events that the sink has not taken yet and the cursor after them. Order and repetition of rows do not matter. Pure. */
export function dedupe(cursor: Cursor, progress: ReadProgress, page: EventPage, context: DedupeContext): PageResult {
  const builder = new PageResultBuilder(cursor, progress);
  for (const sent of page.rows) {
    const row = withinSession(sent, page.readAt, context);
    const seenId = builder.ids.get(row.order) ?? progress.ids.get(row.order);
    builder.add(row, rowOutcome(row, { seenId, taken: contains(cursor.taken, row.order) }, context));
  }
  const { taken, abandoned } = bounded(insert(cursor.taken, builder.orders));
  return {
    cursor: {
      ...cursor,
      taken,
      tally: builder.cursorTally,
      exceptions: builder.cursorExceptions(abandoned),
      failed: failedItem(cursor.failed, builder.events),
    },
    progress: {
      ...progress,
      offset: page.offset + page.rows.length,
      expected: undefined,
      readAt: progress.readAt ?? page.readAt,
      fresh: progress.fresh + builder.orders.length,
      tally: builder.readTally,
      exceptions: builder.readExceptions(),
      changed: [...progress.changed, ...builder.changed].slice(0, maxChanged),
      duplicates: [...progress.duplicates, ...builder.duplicates].slice(0, maxChanged),
      unfinished: [...progress.unfinished, ...builder.unfinished],
      ids: builder.ids,
    },
    events: builder.events,
    rejected: builder.rejected,
    anomalies: [...page.anomalies, ...builder.anomalies],
    abandoned,
  };
}

/** The failed item to keep, after these events. */
function failedItem(before: Cursor['failed'], events: readonly RestoreEvent[]): Cursor['failed'] {
  const types = new Set(events.filter(({ status }) => status.label === 'Failed').map(({ type }) => type.label));
  return before === 'counted' ? before : itemTypes.find(type => type === before || types.has(type));
}

/** How much older than its session an event may be. */
const tolerance: Nanos = seconds(300);

/** An event happened after its session was created, and before that stopped. */
function withinSession(row: EventRow, readAt: Nanos, { createdAt, stoppedAt }: DedupeContext): EventRow {
  if (!('event' in row)) return row;
  const event = createdAt === undefined ? row.event : withoutOldTimes(row.event, createdAt - tolerance, readAt);
  if (event.timeless !== true || stoppedAt === undefined || stoppedAt >= event.startedAt)
    return event === row.event ? row : { ...row, event };
  return { ...row, event: { ...event, startedAt: stoppedAt } };
}

/** The event as if the server had not sent the times before `earliest`. */
function withoutOldTimes(event: RestoreEvent, earliest: Nanos, readAt: Nanos): RestoreEvent {
  const { startedAt, endedAt } = event;
  if (startedAt >= earliest) return event;
  const anomalies = [...new Set([...event.anomalies, 'no_time' as const])];
  const isEndKnown = endedAt !== undefined && endedAt >= earliest;
  return isEndKnown
    ? { ...event, startedAt: endedAt, duration: undefined, anomalies }
    : { ...event, startedAt: readAt, endedAt: undefined, timeless: true, anomalies };
}

/** What becomes of a row, and why. Only `new` events are delivered. */
export type RowOutcome =
  /** The same row again, on this page or the one before. */
  | 'repeated'
  /** Another event with an order that this page or the one before already had. */
  | 'duplicate order'
  /** The event still runs; a later reading takes it. */
  | 'not final'
  | 'taken before'
  | 'rejected'
  /** Happened before the sink began with this server. */
  | 'history'
  | 'new';

/** What is known of a row's order: the id it had on this page or the one before, and whether the cursor has it. */
type OrderState = Readonly<{ seenId: string | undefined; taken: boolean }>;

export function rowOutcome(row: EventRow, { seenId, taken }: OrderState, context: DedupeContext): RowOutcome {
  if (seenId !== undefined) return seenId === idOf(row) ? 'repeated' : 'duplicate order';
  if ('event' in row && !isFinal(row.event, context.sessionOpen)) return 'not final';
  if (taken) return 'taken before';
  if (!('event' in row)) return 'rejected';
  return happenedAt(row.event, context) < context.since ? 'history' : 'new';
}

/** When the event happened: not before its session was created. */
export function happenedAt(event: RestoreEvent, { createdAt = 0n }: Pick<DedupeContext, 'createdAt'>): Nanos {
  const at = eventTime(event);
  return at < createdAt ? createdAt : at;
}

export const idOf = (row: EventRow): string => ('event' in row ? row.event.id : row.id);

type Orders = [number, number][];
type MutableTally = Partial<Record<TallyKey, number>>;

/** What the rows of one page come to. */
class PageResultBuilder {
  readonly events: RestoreEvent[] = [];
  readonly rejected: RejectedRow[] = [];
  readonly anomalies: AnomalyKind[] = [];
  readonly orders: number[] = [];
  readonly unfinished: number[] = [];
  readonly changed: ChangedEvent[] = [];
  readonly duplicates: RejectedRow[] = [];
  readonly ids = new Map<number, string>();
  readonly cursorTally: MutableTally;
  readonly readTally: MutableTally;
  readonly #takenBefore: Exceptions | undefined;
  readonly #readBefore: Exceptions | undefined;
  readonly #statusesKnown: boolean;
  readonly #takenAs = new Map<TakenStatus, Orders>();
  readonly #readAs = new Map<TakenStatus, Orders>();

  constructor(cursor: Cursor, progress: ReadProgress) {
    this.cursorTally = { ...cursor.tally };
    this.readTally = { ...progress.tally };
    this.#takenBefore = cursor.exceptions;
    this.#readBefore = progress.exceptions;
    this.#statusesKnown = isAccountedFor(cursor.exceptions, cursor.tally);
  }

  add(row: EventRow, outcome: RowOutcome): void {
    if (outcome === 'repeated') return;
    if (outcome === 'duplicate order') return this.#addDuplicate(row);
    this.ids.set(row.order, idOf(row));
    if (outcome === 'not final') return void this.unfinished.push(row.order);
    const key = 'event' in row ? row.event.status.label : 'rejected';
    count(this.readTally, key);
    note(this.#readAs, key, row.order);
    if (outcome === 'taken before') return this.#compare(row, key);
    this.orders.push(row.order);
    count(this.cursorTally, key);
    note(this.#takenAs, key, row.order);
    if (!('event' in row)) this.rejected.push({ order: row.order, id: row.id, reason: row.rejected });
    else if (outcome === 'new') this.events.push(row.event);
  }

  cursorExceptions(abandoned: IntervalSet): Exceptions | undefined {
    return withExceptions(this.#takenBefore, new Map([...this.#takenAs, ['given_up', abandoned]]));
  }

  readExceptions(): Exceptions | undefined {
    return withExceptions(this.#readBefore, this.#readAs);
  }

  #compare(row: EventRow, status: TakenStatus): void {
    if (!this.#statusesKnown || !('event' in row)) return;
    const was = statusAt(this.#takenBefore, row.order);
    if (was !== status) this.changed.push({ order: row.order, id: row.event.id, was, status });
  }

  /** Counts a duplicate together with the row that it doubles; if that one was taken before, the last reading counts it. */
  #addDuplicate(row: EventRow): void {
    count(this.readTally, 'duplicate');
    const rejected = { order: row.order, id: idOf(row), reason: 'duplicate_order' } as const;
    if (!this.orders.includes(row.order)) return void this.duplicates.push(rejected);
    count(this.cursorTally, 'duplicate');
    this.rejected.push(rejected);
    this.anomalies.push('duplicate_order');
  }
}

function note(orders: Map<TakenStatus, Orders>, status: TakenStatus, order: number): void {
  if (status === 'Success') return;
  const before = orders.get(status);
  if (before === undefined) orders.set(status, [[order, order]]);
  else before.push([order, order]);
}

function count(tally: MutableTally, key: TallyKey): void {
  tally[key] = (tally[key] ?? 0) + 1;
}

/** Gives up the lowest holes of a set that has too many. */
function bounded(taken: IntervalSet): Pick<PageResult, 'abandoned'> & Pick<Cursor, 'taken'> {
  const excess = Math.max(0, taken.length - maxIntervals);
  const lowest = taken.slice(0, excess + 1);
  return { taken: [...closed(lowest), ...taken.slice(excess + 1)], abandoned: gaps(lowest) };
}
