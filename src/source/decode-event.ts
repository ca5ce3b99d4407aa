import { type AnomalyKind, eventStatus, eventType, type RejectReason, type RestoreEvent } from '../model/event.js';
import { type Nanos, type ParsedInstant, parseTimeSpan } from '../model/time.js';
import type { EventPage, EventRow } from '../pipeline/ports.js';
import { type ItemMessage, parseItemMessage } from './message.js';
import { decodePage, type PageRange } from './page.js';
import { instant, isWire, text, uuid, type Wire } from './wire.js';

/**
 * Decodes a page of events. The rows are decoded one by one, so that an unreadable row spoils no other.
 * @throws {ExporterError} `decode` when it is not the requested page.
 */
export function decodeEventPage(json: unknown, { offset, limit }: PageRange): Omit<EventPage, 'readAt'> {
  const page = decodePage(json, { operation: 'events', offset, limit });
  return { ...page, offset, rows: page.rows.map((row, index) => decodeEvent(row, offset + index)) };
}

/**
 * Reads one row of a page of events (`RESTRestoreSessionEvent`, v2 to v8). A row that cannot be read is set aside with
 * the reason; nothing is thrown. `position` (the row's place in the session's list) is its order when it names none.
 */
export function decodeEvent(row: unknown, position: number): EventRow {
  if (!isWire(row)) return { order: position, rejected: 'not_an_object', id: '' };
  const order = readOrder(row['order']) ?? position;
  const id = uuid(row['id']);
  const event = readEvent(row, id, order);
  return typeof event === 'string' ? { order, rejected: event, id } : { order, event };
}

/** Written out member by member: spreading parts into every event is slow. */
function readEvent(row: Wire, id: string, order: number): RestoreEvent | RejectReason {
  const status = text(row['status']);
  if (id === '') return 'no_id';
  if (status === '') return 'no_status';
  const times = readTimes(row);
  if (times === undefined) return 'bad_time';
  const title = text(row['title']);
  const message = text(row['message']);
  const told = toldBy(row, message);
  return {
    id,
    order,
    type: eventType(text(row['type'])),
    status: eventStatus(status),
    startedAt: times.startedAt,
    endedAt: times.endedAt,
    duration: times.duration,
    title,
    message,
    item: readItem(row, message, told),
    source: text(row['source']) || told.source,
    target: text(row['target']) || told.target,
    reason: told.reason || otherReason(status, message || title),
    anomalies: times.anomalies,
  };
}

/** An `int32` in every schema: what is larger is no order, and would open a hole of billions. */
const largestOrder = 2 ** 31 - 1;

const readOrder = (value: unknown): number | undefined => {
  const order = readSize(value);
  return order !== undefined && order <= largestOrder ? order : undefined;
};

/** Bytes; undefined unless it is a whole number that JSON carries exactly. */
const readSize = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : undefined;

type Times = Pick<RestoreEvent, 'startedAt' | 'endedAt' | 'duration' | 'anomalies'>;

/** Undefined when there is no time at all, or text that is none. */
function readTimes(row: Wire): Times | undefined {
  const start = instant(row['startTime']);
  // Nearly all events start and end at the same tick: the same text need not be read twice.
  const end = row['endTime'] === row['startTime'] ? start : instant(row['endTime']);
  if (start === 'malformed' || end === 'malformed') return undefined;
  const begin = start ?? end;
  if (begin === undefined) return undefined;
  const noOffset = !begin.offset || end?.offset === false;
  return timesOf(begin.at, end?.at, lengthOf(start, end, row['duration']), noOffset);
}

function timesOf(startedAt: Nanos, endedAt: Nanos | undefined, length: Nanos | undefined, noOffset: boolean): Times {
  const negative = length !== undefined && length < 0n;
  return { startedAt, endedAt, duration: negative ? 0n : length, anomalies: oddities(noOffset, negative) };
}

const lengthOf = (start: ParsedInstant | undefined, end: ParsedInstant | undefined, duration: unknown) =>
  start === undefined || end === undefined ? parseTimeSpan(text(duration)) : end.at - start.at;

const none: readonly AnomalyKind[] = [];

function oddities(noOffset: boolean, negative: boolean): readonly AnomalyKind[] {
  if (!noOffset && !negative) return none;
  return [...(noOffset ? (['no_offset'] as const) : none), ...(negative ? (['negative_duration'] as const) : none)];
}

/** The item comes from the structured fields (v3 and later), and from the message where they are empty. */
const readItem = (row: Wire, message: string, told: ItemMessage): RestoreEvent['item'] => ({
  name: text(row['itemName']) || told.name,
  type: text(row['itemType']) || kindIn(message, told),
  sizeBytes: readSize(row['itemSizeBytes']),
});

const fields = ['itemName', 'itemType', 'source', 'target'] as const;

/** What the message tells beyond the structured fields. It need not be read when they tell all: only trouble has a reason. */
function toldBy(row: Wire, message: string): ItemMessage {
  const isNews = message.includes(' with ') || fields.some(field => text(row[field]) === '');
  return (isNews ? parseItemMessage(message) : undefined) ?? silence;
}

/**
 * The type that a message tells. A name or a reason may hold what looks like one, and a person in it: of two none is
 * taken, because types are no personal data and always told.
 */
const kindIn = (message: string, { type }: ItemMessage): string => (message.split('(type: ').length > 2 ? '' : type);

const silence: ItemMessage = { name: '', type: '', source: '', target: '', reason: '' };

/** No failure was captured (`vb365-rest.md` 6.4), so what a Failed event says in words of its own is the reason. */
const otherReason = (status: string, words: string): string => (eventStatus(status).label === 'Failed' ? words : '');
