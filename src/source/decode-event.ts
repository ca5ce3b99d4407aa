import { type AnomalyKind, eventStatus, eventType, type RejectReason, type RestoreEvent } from '../model/event.js';
import { type Nanos, type ParsedInstant, parseTimeSpan, seconds } from '../model/time.js';
import type { EventPage, EventRow } from '../pipeline/ports.js';
import { instant, isCut, isJsonObject, type JsonObject, text, type TimeMember, usable, uuid } from './json.js';
import { type ItemMessage, parseItemMessage } from './message.js';
import type { Owner } from '../model/owner.js';
import type { OwnerOf } from './owners.js';
import type { Page } from './page.js';

/** Where and when a page was read; `readAt` is server time. */
type PageContext = Readonly<{ offset: number; readAt: Nanos; ownerOf: OwnerOf }>;

/** Decodes a page of events. An unreadable row spoils no other row. */
export const decodeEvents = (page: Page, { offset, readAt, ownerOf }: PageContext): EventPage => ({
  ...page,
  readAt,
  offset,
  rows: page.rows.map((row, index) => decodeEvent(row, offset + index, readAt, ownerOf(index))),
});

/**
 * Decodes one `RESTRestoreSessionEvent` (v2 to v8), or rejects it with a reason. Never throws. `position`, the row's place
 * in the session's list, replaces a missing order. `readAt`, server time, replaces a missing time.
 */
export function decodeEvent(row: unknown, position: number, readAt: Nanos, owner?: Owner): EventRow {
  if (!isJsonObject(row)) return { order: position, rejected: 'not_an_object', id: '' };
  const order = wholeNumber(row['order'], largestOrder) ?? position;
  const id = uuid(row['id']);
  const event = readEvent(row, { id, order, readAt, owner });
  return typeof event === 'string' ? { order, rejected: event, id } : { order, event };
}

type RowContext = Readonly<{ id: string; order: number; readAt: Nanos; owner: Owner | undefined }>;

/** Assigns member by member: spreading parts into every event is slow. */
function readEvent(row: JsonObject, { id, order, readAt, owner }: RowContext): RestoreEvent | RejectReason {
  const status = text(row['status']);
  if (id === '') return 'no_id';
  if (status === '') return 'no_status';
  const times = readTimes(row, readAt);
  const title = text(row['title']);
  const message = text(row['message']);
  const parsed = parsedMessage(row, message);
  return {
    id,
    order,
    type: eventType(text(row['type'])),
    status: eventStatus(status),
    startedAt: times.startedAt,
    timeless: times.timeless,
    endedAt: times.endedAt,
    duration: times.duration,
    title,
    message,
    item: readItem(row, message, parsed),
    source: text(row['source']) || parsed.source,
    target: text(row['target']) || parsed.target,
    owner,
    // No failure was captured (vb365-rest.md 6.4), so other words of a Failed event are the reason.
    reason: parsed.reason || (eventStatus(status).label === 'Failed' ? message || title : ''),
    anomalies: isCut(row) ? [...times.anomalies, 'text_cut'] : times.anomalies,
  };
}

/** An `int32` in every schema: a larger order would open a gap of billions. */
const largestOrder = 2 ** 31 - 1;

/** Undefined unless it is a whole number from 0 to `most`. JSON carries no larger one than the default exactly. */
const wholeNumber = (value: unknown, most = Number.MAX_SAFE_INTEGER): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= most ? value : undefined;

type EventTimes = Required<Pick<RestoreEvent, 'startedAt' | 'timeless' | 'endedAt' | 'duration' | 'anomalies'>>;

function readTimes(row: JsonObject, readAt: Nanos): EventTimes {
  const start = instant(row['startTime']);
  // Nearly all events start and end at the same tick, so the same text is parsed once.
  const end = row['endTime'] === row['startTime'] ? start : instant(row['endTime']);
  const from = usable(start, readAt);
  const to = usable(end, readAt);
  const known = from ?? to;
  const length = from === undefined || to === undefined ? parseTimeSpan(text(row['duration'])) : to.at - from.at;
  const startedAt = (known ?? { at: readAt }).at;
  return {
    startedAt,
    timeless: known === undefined,
    endedAt: endAfter(startedAt, to),
    duration: durationOf(length),
    anomalies: anomaliesOf({ sent: [start, end], kept: [from, to], length, readAt }),
  };
}

/** An end before the start is not a time. */
const endAfter = (start: Nanos, end: ParsedInstant | undefined): Nanos | undefined =>
  end === undefined || end.at < start ? undefined : end.at;

/** A longer restore of one item comes from a time that is wrong. */
const longest: Nanos = seconds(31 * 86_400);
/** How far ahead of the server's clock a time may be before it counts as an anomaly. */
const tolerance: Nanos = seconds(300);

function durationOf(length: Nanos | undefined): Nanos | undefined {
  if (length === undefined || length > longest) return undefined;
  return length < 0n ? 0n : length;
}

/** Start and end, as they were sent and as far as they are usable. */
type EventTimesRead = Readonly<{
  sent: readonly [start: TimeMember, end: TimeMember];
  kept: readonly (ParsedInstant | undefined)[];
  length: Nanos | undefined;
  readAt: Nanos;
}>;

function anomaliesOf({ sent, kept, length = 0n, readAt }: EventTimesRead): readonly AnomalyKind[] {
  const anomalies: AnomalyKind[] = [];
  if (kept.some(time => time?.offset === false)) anomalies.push('no_offset');
  if (length < 0n || isReversed(sent)) anomalies.push('negative_duration');
  if (length > longest || isLost(sent, kept)) anomalies.push('no_time');
  if (kept.some(time => time !== undefined && time.at > readAt + tolerance)) anomalies.push('future_time');
  return anomalies;
}

const isReversed = ([start, end]: EventTimesRead['sent']): boolean =>
  typeof end === 'object' && typeof start === 'object' && end.at < start.at;

/** There is no usable time, or one that the server sent is not usable. */
const isLost = (sent: EventTimesRead['sent'], kept: EventTimesRead['kept']): boolean =>
  kept.every(time => time === undefined) || sent.some((time, at) => time !== undefined && kept[at] === undefined);

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
