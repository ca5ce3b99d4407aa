import { eventTime } from '../model/event.js';
import { type Session, sessionTime } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { Exemplar, TakenEvent } from '../pipeline/ports.js';
import { spanIdOf, traceIdOf } from '../model/trace-ids.js';

/** Of each bucket one event that fell into it, if any did. */
export type BucketExamples = (TakenEvent | undefined)[];

/**
 * An event as an exemplar: the ids of the log record and the span that tell more of it. Undefined when its session has
 * no id to be found by, or its time is none. A time to come is now, else it would stay the newest for ever.
 */
export const exemplarOf = ({ session, event }: TakenEvent, value: number, now: Nanos): Exemplar | undefined =>
  leadingTo({ session: session.id, event: event.id, at: eventTime(event) }, value, now);

/** A session that has stopped as an exemplar, like an event: its span is the root of its trace. */
export const sessionExemplarOf = (session: Session, value: number, now: Nanos): Exemplar | undefined =>
  leadingTo({ session: session.id, event: session.id, at: sessionTime(session) }, value, now);

type Lead = Readonly<{ session: string; event: string; at: Nanos }>;

function leadingTo({ session, event, at }: Lead, value: number, now: Nanos): Exemplar | undefined {
  const traceId = traceIdOf(session);
  if (traceId === undefined || at < 0n) return undefined;
  return { traceId, spanId: spanIdOf(event), value, at: at < now ? at : now };
}

/** The newer of two. */
export const newerExemplar = (a: Exemplar | undefined, b: Exemplar | undefined): Exemplar | undefined =>
  b === undefined || (a !== undefined && a.at > b.at) ? a : b;
