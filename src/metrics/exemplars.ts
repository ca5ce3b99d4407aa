import { eventTime } from '../model/event.js';
import { type Session, sessionTime } from '../model/session.js';
import type { Nanos } from '../model/time.js';
import type { Exemplar, Series, SeriesDelta, TakenEvent } from '../pipeline/ports.js';
import { fold } from '../pipeline/series.js';
import { spanIdOf, traceIdOf } from '../model/trace-ids.js';

/** One for each bucket of a histogram that has one, or one for a counter. */
export type Exemplars = readonly (Exemplar | undefined)[];

/** For each bucket, one event that fell into it, if any did. */
export type BucketExamples = (TakenEvent | undefined)[];

/**
 * An event, or a stopped session, as an exemplar: the ids of its trace, and of its span and log record in it. Undefined
 * when the session has no id that makes a trace id, or the time is before 1970. A time in the future becomes `now`, or
 * it would stay the newest forever.
 */
export function exemplarOf({ session, event }: ExemplarSource, value: number, now: Nanos): Exemplar | undefined {
  const traceId = traceIdOf(session.id);
  const at = event === undefined ? sessionTime(session) : eventTime(event);
  if (traceId === undefined || at < 0n) return undefined;
  return { traceId, spanId: spanIdOf((event ?? session).id), value, at: at < now ? at : now };
}

/** The span of a session is the root of its trace. */
type ExemplarSource = Readonly<{ session: Session; event?: TakenEvent['event'] }>;

/** A series with its newest exemplars, which are kept in memory only. */
export type ExemplarSeries = Readonly<{ series: Series; exemplars: Exemplars }>;

/** `fold` for a series with exemplars: of two, the newer stays. */
export function foldWithExemplars(known: ExemplarSeries | undefined, added: Series | SeriesDelta): ExemplarSeries {
  const [older, newer] = [known?.exemplars ?? [], exemplarsOf(added)];
  const length = Math.max(older.length, newer.length);
  const exemplars = Array.from({ length }, (_, i) => newerExemplar(older[i], newer[i]));
  return { series: fold(known?.series, added), exemplars };
}

function exemplarsOf(added: Series | SeriesDelta): Exemplars {
  if ('exemplar' in added) return [added.exemplar];
  return 'exemplars' in added ? (added.exemplars ?? []) : [];
}

const newerExemplar = (a: Exemplar | undefined, b: Exemplar | undefined): Exemplar | undefined =>
  b === undefined || (a !== undefined && a.at > b.at) ? a : b;
