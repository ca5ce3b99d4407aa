import { SpanKind, type SpanStatus, SpanStatusCode } from '@opentelemetry/api';
import { hrTimeDuration } from '@opentelemetry/core';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import { type EventStatus, eventTime, type EventType } from '../model/event.js';
import { type Session, type SessionResult, sessionTime } from '../model/session.js';
import { formatInstant, type Nanos } from '../model/time.js';
import type { TakenEvent } from '../pipeline/ports.js';
import { type Attributes, merged } from './attribute.js';
import { spanContextOf } from '../model/trace-ids.js';
import { eventAttributes, hrTime, isAhead, type Origin, sessionAttributes } from './log-record.js';

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

/** `now`: time of sending. `maxAhead`: how far a span may be ahead of it; undefined: no limit. */
export type SpanClock = Readonly<{ now: Nanos; maxAhead: Nanos | undefined }>;

/** The span of one event. Undefined when its id or its session's id is not a GUID: it belongs to no trace. */
export function itemSpan(taken: TakenEvent, origin: Origin, clock: SpanClock): ReadableSpan | undefined {
  const { session, event } = taken;
  const context = spanContextOf(session.id, event.id);
  const parent = spanContextOf(session.id, session.id);
  if (context === undefined || parent === undefined) return undefined;
  const times = within(clock, { start: event.startedAt, end: eventTime(event) });
  return {
    ...spanOf(origin, times),
    ...described(merged(eventAttributes(taken, origin)), { label: event.status.label, time: times.own }),
    name: itemSpanNames[event.type.label],
    spanContext: () => context,
    parentSpanContext: parent,
  };
}

/** The root span of a session that has stopped. Undefined when its id is not a GUID. */
export function sessionSpan(session: Session, origin: Origin, clock: SpanClock): ReadableSpan | undefined {
  const context = spanContextOf(session.id, session.id);
  if (context === undefined) return undefined;
  const times = within(clock, { start: session.createdAt, end: sessionTime(session) });
  return {
    ...spanOf(origin, times),
    ...described(merged(sessionAttributes(session, origin)), { label: session.result.label, time: times.own }),
    name: rootSpanName,
    spanContext: () => context,
  };
}

type SpanTimes = Readonly<{ start: Nanos; end: Nanos }>;

/** A span that starts or ends too far ahead ends at the time of sending and keeps its length. `own`: when it happened. */
function within({ now, maxAhead }: SpanClock, times: SpanTimes): SpanTimes & Readonly<{ own?: Nanos }> {
  const { start, end } = times;
  if (!isAhead(start, now, maxAhead) && !isAhead(end, now, maxAhead)) return times;
  const length = end > start && end - start < now ? end - start : 0n;
  return { start: now - length, end: now, own: end };
}

/** The span has no length when a time is unknown or the end is before the start. */
function spanOf(origin: Origin, { start, end }: SpanTimes) {
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

/** `time`: when it happened, if the span has another time. */
type Labelled = Readonly<{ label: EventStatus | SessionResult | 'other'; time: Nanos | undefined }>;

/** Attributes and status. The message of the status is `error.message`. */
function described(of: Attributes, { label, time }: Labelled) {
  const own = time === undefined ? {} : { 'veeam.event.time': formatInstant(time) };
  const attributes: Attributes = { ...of, ...own };
  const message = attributes['error.message'];
  const status: SpanStatus = {
    code: codes[label] ?? SpanStatusCode.UNSET,
    ...(typeof message === 'string' ? { message } : {}),
  };
  return { attributes, status };
}
