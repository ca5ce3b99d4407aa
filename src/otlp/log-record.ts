import { SeverityNumber } from '@opentelemetry/api';
import type { InstrumentationScope } from '@opentelemetry/core';
import type { Resource } from '@opentelemetry/resources';
import { type EventStatus, eventTime } from '../model/event.js';
import { type Session, sessionTime } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { TakenEvent } from '../pipeline/ports.js';
import { type Attributes, attributesOf } from './attribute.js';
import type { Redact } from './redaction.js';
import { spanContextIn, spanContextOf, traceIdOf } from '../model/trace-ids.js';
import { failureAttributes } from './item-attributes.js';
import { ownRecordAttributes, recordKinds, sessionRecordAttributes } from './record-attributes.js';
import { RestoreRecord, type Severity } from './restore-record.js';
import { itemSentence, sessionSentence } from './sentence.js';
import { ofSession } from './session-attributes.js';

/**
 * What all records, or all spans, of a sink have in common. One object of each for all: the encoder groups by identity
 * of resource and scope.
 */
export type Origin = Readonly<{ resource: Resource; scope: InstrumentationScope; redact: Redact }>;

const info: Severity = { number: SeverityNumber.INFO, text: 'INFO' };
const warn: Severity = { number: SeverityNumber.WARN, text: 'WARN' };
const error: Severity = { number: SeverityNumber.ERROR, text: 'ERROR' };

/** A warning is not an error, and what somebody cancelled is worth a look. */
const severity: Readonly<Record<EventStatus | 'other', Severity>> = {
  Running: info,
  Success: info,
  Warning: warn,
  Failed: error,
  Cancelled: warn,
  Skipped: info,
  other: info,
};

const none: Attributes = {};

/** What the records of a session's events have in common. */
type Shared = Readonly<{ attributes: Attributes; traceId: string | undefined }>;

const sharedOf = (session: Session, redact: Redact): Shared => ({
  attributes: attributesOf(ofSession, { session }, redact),
  traceId: traceIdOf(session.id),
});

/** Makes the log records of one sink. A record was seen by us at `observedAt`, and bears the time of what it tells, unless it is told another. */
export interface Recorder {
  /** The record of one event. */
  item(taken: TakenEvent, observedAt: Nanos, bears?: Nanos): RestoreRecord;
  /** The record of a session that has stopped. */
  session(session: Session, observedAt: Nanos, bears?: Nanos): RestoreRecord;
}

/** What the records of a session's events have in common is made once for all of them: it is two fifths of each. */
export function recorder(origin: Origin): Recorder {
  const { redact } = origin;
  const known = new WeakMap<Session, Shared>();
  const sharedBy = (session: Session): Shared => {
    let shared = known.get(session);
    if (shared === undefined) known.set(session, (shared = sharedOf(session, redact)));
    return shared;
  };
  return {
    item: ({ session, event }, observedAt, bears = eventTime(event)) => {
      const { attributes: shared, traceId } = sharedBy(session);
      return new RestoreRecord({
        origin,
        eventName: recordKinds.item,
        severity: severity[event.status.label],
        context: spanContextIn(traceId, event.id),
        times: { bears, observedAt },
        body: itemSentence(event, redact),
        attributes: {
          before: attributesOf(ownRecordAttributes, { session, event, bears }, redact),
          shared,
          after: attributesOf(failureAttributes, { session, event }, redact),
        },
      });
    },
    session: (session, observedAt, bears = sessionTime(session)) =>
      new RestoreRecord({
        origin,
        eventName: recordKinds.session,
        severity: severity[session.result.label],
        context: spanContextOf(session.id, session.id),
        times: { bears, observedAt },
        body: sessionSentence(session, redact),
        attributes: {
          before: attributesOf(sessionRecordAttributes, { session, bears }, redact),
          shared: none,
          after: none,
        },
      }),
  };
}
