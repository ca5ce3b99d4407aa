import { SeverityNumber } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { type EventStatus, eventTime } from '../model/event.js';
import { type Session, sessionTime } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { Taken } from '../pipeline/ports.js';
import { attributesOf, sendable } from './attribute.js';
import type { Disclose } from './disclosure.js';
import { hrTime } from './hr-time.js';
import { spanContextOf } from './ids.js';
import { itemRecordAttributes, recordKinds, sessionRecordAttributes } from './record-attributes.js';
import { itemSentence, sessionSentence } from './sentence.js';

/**
 * What all records, or all spans, of a sink have in common. One object of each for all: the encoder groups by identity
 * of resource and scope.
 */
export type Origin = Readonly<{ resource: Resource; scope: InstrumentationScope; disclose: Disclose }>;

const info = { severityNumber: SeverityNumber.INFO, severityText: 'INFO' };
const warn = { severityNumber: SeverityNumber.WARN, severityText: 'WARN' };
const error = { severityNumber: SeverityNumber.ERROR, severityText: 'ERROR' };

/** A warning is not an error, and what somebody cancelled is worth a look. */
const severity: Readonly<Record<EventStatus | 'other', typeof info>> = {
  Running: info,
  Success: info,
  Warning: warn,
  Failed: error,
  Cancelled: warn,
  Skipped: info,
  other: info,
};

/** The log record of one event, seen by us at `observedAt`. It bears the event's time, unless it is told another. */
export function itemRecord(
  { session, event }: Taken,
  origin: Origin,
  observedAt: Nanos,
  bears: Nanos = eventTime(event),
): ReadableLogRecord {
  return {
    ...severity[event.status.label],
    ...contextOf(session.id, event.id),
    eventName: recordKinds.item,
    hrTime: hrTime(bears),
    hrTimeObserved: hrTime(observedAt),
    body: sendable(itemSentence(event, origin.disclose)),
    attributes: attributesOf(itemRecordAttributes, { session, event, bears }, origin.disclose),
    droppedAttributesCount: 0,
    resource: origin.resource,
    instrumentationScope: origin.scope,
  };
}

/** The log record of a session that has stopped, seen by us at `observedAt`. */
export function sessionRecord(
  session: Session,
  origin: Origin,
  observedAt: Nanos,
  bears: Nanos = sessionTime(session),
): ReadableLogRecord {
  return {
    ...severity[session.result.label],
    ...contextOf(session.id, session.id),
    eventName: recordKinds.session,
    hrTime: hrTime(bears),
    hrTimeObserved: hrTime(observedAt),
    body: sendable(sessionSentence(session, origin.disclose)),
    attributes: attributesOf(sessionRecordAttributes, { session, bears }, origin.disclose),
    droppedAttributesCount: 0,
    resource: origin.resource,
    instrumentationScope: origin.scope,
  };
}

/** Empty when the server's ids are no GUIDs: then the record stands alone. */
function contextOf(sessionId: string, eventId: string): Pick<ReadableLogRecord, 'spanContext'> {
  const spanContext = spanContextOf(sessionId, eventId);
  return spanContext === undefined ? {} : { spanContext };
}
