import { type HrTime, SeverityNumber, type SpanContext, TraceFlags } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { type EventStatus, eventTime, type RestoreEvent } from '../model/event.js';
import type { Session, SessionResult } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { Taken } from '../pipeline/ports.js';
import { spanIdOf, traceIdOf } from './ids.js';
import { attributesOf, itemAttributes, recordKinds, sessionAttributes } from './log-attributes.js';

/** What all records of a sink have in common. One object of each for all: the encoder groups records by identity. */
export type Origin = Readonly<{ resource: Resource; scope: InstrumentationScope }>;

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

const itemEnd: Readonly<Record<EventStatus, string>> = {
  Running: 'is running',
  Success: 'succeeded',
  Warning: 'ended with a warning',
  Failed: 'failed',
  Cancelled: 'was cancelled',
  Skipped: 'was skipped',
};

const sessionEnd: Readonly<Record<SessionResult, string>> = {
  Success: 'succeeded',
  Warning: 'ended with warnings',
  Failed: 'failed',
};

/** The log record of one event: stamped when it ended, seen by us at `observedAt`. */
export function itemRecord({ session, event }: Taken, origin: Origin, observedAt: Nanos): ReadableLogRecord {
  return {
    ...severity[event.status.label],
    ...spanContext(session.id, event.id),
    eventName: recordKinds.item,
    hrTime: hrTime(eventTime(event)),
    hrTimeObserved: hrTime(observedAt),
    body: itemSentence(event).toWellFormed(),
    attributes: attributesOf(itemAttributes, { session, event }),
    droppedAttributesCount: 0,
    resource: origin.resource,
    instrumentationScope: origin.scope,
  };
}

/** When a session that has stopped is told: at its end, or its creation while that is unknown. */
export const sessionTime = (session: Session): Nanos => session.endedAt ?? session.createdAt;

/** The log record of a session that has stopped. */
export function sessionRecord(session: Session, origin: Origin, observedAt: Nanos): ReadableLogRecord {
  return {
    ...severity[session.result.label],
    ...spanContext(session.id, session.id),
    eventName: recordKinds.session,
    hrTime: hrTime(sessionTime(session)),
    hrTimeObserved: hrTime(observedAt),
    body: sessionSentence(session).toWellFormed(),
    attributes: attributesOf(sessionAttributes, session),
    droppedAttributesCount: 0,
    resource: origin.resource,
    instrumentationScope: origin.scope,
  };
}

/** Unsigned 64 bits are what OTLP has for a time; half of them, what most backends read. 2262 is far enough. */
const end = 2n ** 63n;

/** To the nanosecond. What is no time of ours (year 1, year 9999) becomes 0, OTLP's word for unknown. */
function hrTime(at: Nanos): HrTime {
  if (at < 0n || at >= end) return [0, 0];
  return [Number(at / 1_000_000_000n), Number(at % 1_000_000_000n)];
}

/** Empty when the server's ids are no GUIDs: then the record stands alone. */
function spanContext(sessionId: string, eventId: string): Readonly<{ spanContext?: SpanContext }> {
  const traceId = traceIdOf(sessionId);
  const spanId = spanIdOf(eventId);
  if (traceId === undefined || spanId === undefined) return {};
  return { spanContext: { traceId, spanId, traceFlags: TraceFlags.SAMPLED } };
}

/**
 * Holds order and id: Loki drops a line that equals another of the same stream and time, whatever their attributes
 * (grafana/loki#15425).
 */
function itemSentence({ type, status, title, item, order, id }: RestoreEvent): string {
  const token = `(#${String(order)}, ${short(id)})`;
  if (type.label === 'None' && title !== '') return `${title} ${token}`;
  const what = item.name === '' ? type.raw : `${type.raw} of "${item.name}"`;
  return `${what} ${status.label === 'other' ? `ended as ${status.raw}` : itemEnd[status.label]} ${token}`;
}

function sessionSentence({ name, organization, result, id }: Session): string {
  const what = [name === '' ? 'Restore session' : `Restore session "${name}"`, organization];
  const how = result.label === 'other' ? `ended as ${result.raw}` : sessionEnd[result.label];
  return `${what.filter(text => text !== '').join(' of ')} ${how} (${short(id)})`;
}

const short = (id: string): string => id.slice(0, 8);
