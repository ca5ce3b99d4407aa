import { type AnomalyKind, eventStatus, eventType, type RejectReason, type RestoreEvent } from '../model/event.js';
import { type Nanos, type ParsedInstant, parseTimeSpan } from '../model/time.js';
import type { EventPage, EventRow } from '../pipeline/ports.js';
import { instant, isJsonObject, type JsonObject, text, uuid } from './json.js';
import { type ItemMessage, parseItemMessage } from './message.js';
import { decodePage, type PageRange } from './page.js';

/**
 * Decodes a page of events. An unreadable row spoils no other row.
 * @throws {ExporterError} `decode` when it is not the requested page.
 */
export function decodeEventPage(json: unknown, { offset, limit }: PageRange): Omit<EventPage, 'readAt'> {
  const page = decodePage(json, { operation: 'events', offset, limit });
  return { ...page, offset, rows: page.rows.map((row, index) => decodeEvent(row, offset + index)) };
}

/**
 * Decodes one `RESTRestoreSessionEvent` (v2 to v8), or rejects it with a reason. Never throws. `position`, the row's place
 * in the session's list, replaces a missing order.
 */
export function decodeEvent(row: unknown, position: number): EventRow {
  if (!isJsonObject(row)) return { order: position, rejected: 'not_an_object', id: '' };
  const order = wholeNumber(row['order'], largestOrder) ?? position;
  const id = uuid(row['id']);
  const event = readEvent(row, id, order);
  return typeof event === 'string' ? { order, rejected: event, id } : { order, event };
}

/** Assigns member by member: spreading parts into every event is slow. */
function readEvent(row: JsonObject, id: string, order: number): RestoreEvent | RejectReason {
  const status = text(row['status']);
  if (id === '') return 'no_id';
  if (status === '') return 'no_status';
  const times = readTimes(row);
  if (times === undefined) return 'bad_time';
  const title = text(row['title']);
  const message = text(row['message']);
  const parsed = parsedMessage(row, message);
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
    item: readItem(row, message, parsed),
    source: text(row['source']) || parsed.source,
    target: text(row['target']) || parsed.target,
    // No failure was captured (vb365-rest.md 6.4), so other words of a Failed event are the reason.
    reason: parsed.reason || (eventStatus(status).label === 'Failed' ? message || title : ''),
    anomalies: times.anomalies,
  };
}

/** An `int32` in every schema: a larger order would open a gap of billions. */
const largestOrder = 2 ** 31 - 1;

/** Undefined unless it is a whole number from 0 to `most`. JSON carries no larger one than the default exactly. */
const wholeNumber = (value: unknown, most = Number.MAX_SAFE_INTEGER): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most ? value : undefined;

type EventTimes = Pick<RestoreEvent, 'startedAt' | 'endedAt' | 'duration' | 'anomalies'>;

/** Undefined when there is no time at all, or a malformed one. */
function readTimes(row: JsonObject): EventTimes | undefined {
  const start = instant(row['startTime']);
  // Nearly all events start and end at the same tick, so the same text is parsed once.
  const end = row['endTime'] === row['startTime'] ? start : instant(row['endTime']);
  if (start === 'malformed' || end === 'malformed') return undefined;
  const begin = start ?? end;
  if (begin === undefined) return undefined;
  return timesOf(begin, end, lengthOf(start, end, row['duration']));
}

function timesOf(begin: ParsedInstant, end: ParsedInstant | undefined, length: Nanos | undefined): EventTimes {
  const negative = length !== undefined && length < 0n;
  const anomalies: AnomalyKind[] = !begin.offset || end?.offset === false ? ['no_offset'] : [];
  if (negative) anomalies.push('negative_duration');
  // An end before the start is not a time, such as the zero dates 1601-01-01 and 1900-01-01.
  const endedAt = end === undefined || end.at < begin.at ? undefined : end.at;
  return { startedAt: begin.at, endedAt, duration: negative ? 0n : length, anomalies };
}

const lengthOf = (start: ParsedInstant | undefined, end: ParsedInstant | undefined, duration: unknown) =>
  start === undefined || end === undefined ? parseTimeSpan(text(duration)) : end.at - start.at;

/** The item comes from the structured fields (v3 and later), and from the message where they are empty. */
const readItem = (row: JsonObject, message: string, parsed: ItemMessage): RestoreEvent['item'] => ({
  name: text(row['itemName']) || parsed.name,
  type: text(row['itemType']) || typeIn(message, parsed),
  sizeBytes: wholeNumber(row['itemSizeBytes']),
});

const fields = ['itemName', 'itemType', 'source', 'target'] as const;

/** The message is parsed only when it can add something: a reason, or a field that is empty. */
function parsedMessage(row: JsonObject, message: string): ItemMessage {
  const adds = message.includes(' with ') || fields.some(field => text(row[field]) === '');
  return (adds ? parseItemMessage(message) : undefined) ?? emptyMessage;
}

/**
 * The type in a message, unless there are two. A name or a reason may look like a type and name a person, and types are
 * never redacted.
 */
const typeIn = (message: string, { type }: ItemMessage): string => (message.split('(type: ').length > 2 ? '' : type);

const emptyMessage: ItemMessage = { name: '', type: '', source: '', target: '', reason: '' };
