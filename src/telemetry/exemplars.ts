import { eventTime } from '../model/event.js';
import type { Nanos } from '../model/time.js';
import type { Exemplar, Taken } from '../pipeline/ports.js';
import { spanIdOf, traceIdOf } from './ids.js';

/** Of each bucket one event that fell into it, if any did. */
export type BucketExamples = (Taken | undefined)[];

/**
 * An event as an exemplar: the ids of the log record and the span that tell more of it. Undefined when its session has
 * no id to be found by, or its time is none. A time to come is now, else it would stay the newest for ever.
 */
export function exemplarOf({ session, event }: Taken, value: number, now: Nanos): Exemplar | undefined {
  const traceId = traceIdOf(session.id);
  const at = eventTime(event);
  if (traceId === undefined || at < 0n) return undefined;
  return { traceId, spanId: spanIdOf(event.id), value, at: at < now ? at : now };
}

/** The newer of two. */
export const newerExemplar = (a: Exemplar | undefined, b: Exemplar | undefined): Exemplar | undefined =>
  b === undefined || (a !== undefined && a.at > b.at) ? a : b;
