import { type HrTime, SeverityNumber, type SpanContext } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { type EventStatus, eventTime } from '../model/event.js';
import { type Session, sessionTime } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import { spanContextOf } from '../model/trace-ids.js';
import type { TakenEvent } from '../pipeline/ports.js';
import {
  type Attributes,
  attributesOf,
  merged,
  type RecordAttributes,
  sendable,
  type SharedAttributes,
  sharedAttributes,
} from './attribute.js';
import { ofEvent, ofItemRecord, ofOwner, ofResult, ofSession, ofSessionRecord, recordKinds } from './attributes.js';
import type { Redact } from './redaction.js';
import { itemSentence, sessionSentence } from './sentence.js';

/**
 * What all records and spans of a sink share. Use one resource and one scope object for all of them: the encoder groups
 * by identity.
 */
export type Origin = Readonly<{
  resource: Resource;
  scope: InstrumentationScope;
  redact: Redact;
  shared: SharedAttributes;
}>;

export const originOf = (parts: Omit<Origin, 'shared'>): Origin => ({
  ...parts,
  shared: sharedAttributes(parts.redact),
});

/** The attributes of an event, after those in `attributes`, and of its owner and its session. */
export function eventAttributes(
  { session, event, ownership }: TakenEvent,
  { redact, shared }: Origin,
  attributes: Attributes = {},
): RecordAttributes {
  const own = attributesOf(ofEvent, event, redact, attributes);
  const owner = ownership === undefined ? [] : [shared(ofOwner, ownership)];
  return { own, shared: [...owner, shared(ofSession, session)] };
}

/** The attributes of a session that has stopped, after those in `attributes`. */
export const sessionAttributes = (
  session: Session,
  { redact, shared }: Origin,
  attributes: Attributes = {},
): RecordAttributes => ({
  own: attributesOf(ofResult, session, redact, attributes),
  shared: [shared(ofSession, session)],
});

/** `at`: timestamp of the record; the time of the event or session unless given. */
type RecordTimes = Readonly<{ observedAt: Nanos; at?: Nanos | undefined }>;

const severityNumbers = { INFO: SeverityNumber.INFO, WARN: SeverityNumber.WARN, ERROR: SeverityNumber.ERROR } as const;

const severities: Readonly<Record<EventStatus | 'other', keyof typeof severityNumbers>> = {
  Running: 'INFO',
  Success: 'INFO',
  Warning: 'WARN',
  Failed: 'ERROR',
  Cancelled: 'WARN',
  Skipped: 'INFO',
  other: 'INFO',
};

/** A log record of the library, whose attributes are in parts. */
export type LogRecord = Omit<ReadableLogRecord, 'attributes'> & Readonly<{ attributes: RecordAttributes }>;

/** The record as the library encodes it. */
export const readable = (record: LogRecord): ReadableLogRecord => ({
  ...record,
  attributes: merged(record.attributes),
});

/** The log record of one event. */
export function itemRecord(taken: TakenEvent, origin: Origin, times: RecordTimes): LogRecord {
  const { session, event } = taken;
  const { observedAt, at = eventTime(event) } = times;
  return recordOf(origin, {
    eventName: recordKinds.item,
    status: event.status.label,
    context: spanContextOf(session.id, event.id),
    at,
    observedAt,
    body: itemSentence(event, origin.redact),
    attributes: eventAttributes(taken, origin, attributesOf(ofItemRecord, { event, at }, origin.redact)),
  });
}

/** The log record of a session that has stopped. */
export function sessionRecord(session: Session, origin: Origin, times: RecordTimes): LogRecord {
  const { observedAt, at = sessionTime(session) } = times;
  return recordOf(origin, {
    eventName: recordKinds.session,
    status: session.result.label,
    context: spanContextOf(session.id, session.id),
    at,
    observedAt,
    body: sessionSentence(session, origin.redact),
    attributes: sessionAttributes(session, origin, attributesOf(ofSessionRecord, { session, at }, origin.redact)),
  });
}

type RecordParts = Readonly<{
  eventName: string;
  status: EventStatus | 'other';
  /** Undefined when the server's ids are not GUIDs: the record then belongs to no trace. */
  context: SpanContext | undefined;
  at: Nanos;
  observedAt: Nanos;
  body: string;
  attributes: RecordAttributes;
}>;

function recordOf({ resource, scope }: Origin, parts: RecordParts): LogRecord {
  const { eventName, attributes, context } = parts;
  const severityText = severities[parts.status];
  const record = {
    hrTime: hrTime(parts.at),
    hrTimeObserved: hrTime(parts.observedAt),
    severityNumber: severityNumbers[severityText],
    severityText,
    eventName,
    body: sendable(parts.body),
    attributes,
    droppedAttributesCount: 0,
    resource,
    instrumentationScope: scope,
  };
  return context === undefined ? record : { ...record, spanContext: context };
}

/** OTLP times are unsigned 64-bit integers; most backends read signed ones, which end in 2262. */
const endOfTime = 2n ** 63n;

/** Whether a time is too far ahead of the clock, or OTLP cannot hold it. */
export const isAhead = (at: Nanos, now: Nanos, maxAhead: Nanos | undefined): boolean =>
  at < 0n || at >= endOfTime || (maxAhead !== undefined && at > now + maxAhead);

/** Exact to the nanosecond. A time that OTLP cannot hold, such as one in year 1 or 9999, becomes 0, which means unknown. */
export function hrTime(at: Nanos): HrTime {
  if (at < 0n || at >= endOfTime) return [0, 0];
  return [Number(at / 1_000_000_000n), Number(at % 1_000_000_000n)];
}
