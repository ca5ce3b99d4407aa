import { SpanKind, type SpanStatus, SpanStatusCode } from '@opentelemetry/api';
import { hrTimeDuration } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { EventStatus, EventType } from '../model/event.js';
import { type Session, type SessionResult, sessionTime } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { TakenEvent } from '../pipeline/ports.js';
import { type Attribute, attributesOf, itemAttributes, sessionAttributes } from './attributes.js';
import { spanContextOf } from '../model/trace-ids.js';
import { hrTime, type Origin } from './log-record.js';

/** Name of a session's span, the parent of the spans of its events. */
export const rootSpanName = 'restore session';

/** Name of an event's span. A closed list, so that a backend can group by it. */
export const itemSpanNames: Readonly<Record<EventType | 'other', string>> = {
  None: 'session event',
  View: 'view item',
  Save: 'save item',
  Export: 'export item',
  Send: 'send item',
  Restore: 'restore item',
  other: 'other item',
};

const codes: Readonly<Partial<Record<EventStatus | SessionResult | 'other', SpanStatusCode>>> = {
  Success: SpanStatusCode.OK,
  Failed: SpanStatusCode.ERROR,
};

/** The span of one event. Undefined when its id or its session's id is not a GUID: it belongs to no trace. */
export function itemSpan({ session, event }: TakenEvent, origin: Origin): ReadableSpan | undefined {
  const context = spanContextOf(session.id, event.id);
  const parent = spanContextOf(session.id, session.id);
  if (context === undefined || parent === undefined) return undefined;
  return {
    ...spanOf(origin, { start: event.startedAt, end: event.endedAt ?? event.startedAt }),
    ...described(itemAttributes, { session, event }, { origin, label: event.status.label }),
    name: itemSpanNames[event.type.label],
    spanContext: () => context,
    parentSpanContext: parent,
  };
}

/** The root span of a session that has stopped. Undefined when its id is not a GUID. */
export function sessionSpan(session: Session, origin: Origin): ReadableSpan | undefined {
  const context = spanContextOf(session.id, session.id);
  if (context === undefined) return undefined;
  return {
    ...spanOf(origin, { start: session.createdAt, end: sessionTime(session) }),
    ...described(sessionAttributes, { session }, { origin, label: session.result.label }),
    name: rootSpanName,
    spanContext: () => context,
  };
}

/** The span has no length when a time is unknown or the end is before the start. */
function spanOf(origin: Origin, { start, end }: Readonly<{ start: Nanos; end: Nanos }>) {
  const startTime = hrTime(start);
  const known = end > start && hrTime(end)[0] > 0;
  const endTime = known ? hrTime(end) : startTime;
  return {
    kind: SpanKind.INTERNAL,
    startTime,
    endTime,
    duration: hrTimeDuration(startTime, endTime),
    ended: true,
    links: [],
    events: [],
    resource: origin.resource,
    instrumentationScope: origin.scope,
    droppedAttributesCount: 0,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  };
}

type Labelled = Readonly<{ origin: Origin; label: EventStatus | SessionResult | 'other' }>;

/** Attributes and status. The message of the status is `error.message`. */
function described<Subject>(table: readonly Attribute<Subject>[], subject: Subject, { origin, label }: Labelled) {
  const attributes = attributesOf(table, subject, origin.redact);
  const message = attributes['error.message'];
  const status: SpanStatus = {
    code: codes[label] ?? SpanStatusCode.UNSET,
    ...(typeof message === 'string' ? { message } : {}),
  };
  return { attributes, status };
}
