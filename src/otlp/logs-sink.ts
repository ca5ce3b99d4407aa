import type { Clock } from '../kernel/clock.js';
import { eventTime, type RestoreEvent } from '../model/event.js';
import { type Session, sessionTime } from '../model/session.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { Batch, Sink, TakenEvent } from '../pipeline/ports.js';
import { createDelivery, deliveredBy, outgoing, type OutgoingRecord } from './bisecting-delivery.js';
import type { AcknowledgingExporter } from './exporter.js';
import { isAhead, itemRecord, type LogRecord, type Origin, sessionRecord } from './log-record.js';

export type LogsSinkOptions = Readonly<{
  server: string;
  origin: Origin;
  exporter: AcknowledgingExporter<LogRecord>;
  clock: Clock;
  limits: TimeLimits;
}>;

/**
 * Sends a batch as log records, oldest first, in as many requests as it takes. When one of them fails, the whole batch
 * is sent again with the same `log.record.uid`.
 */
export function logsSink({ server, origin, exporter, clock, limits }: LogsSinkOptions): Sink {
  const { deliver, probe } = createDelivery(exporter);
  const stamp = stampWithin(limits);
  return {
    name: 'logs',
    probe,
    deliver: async (batch, signal) => {
      const records = recordsOf(batch, { origin, observedAt: milliseconds(clock.now()), stamp });
      return deliveredBy('logs', server, batch, await deliver(records, signal));
    },
  };
}

/** An event of a session, or a session that has stopped. */
type Occurrence = Readonly<{ session: Session; event?: RestoreEvent; ownership?: TakenEvent['ownership'] }>;
type RecordContext = Readonly<{ origin: Origin; observedAt: Nanos; stamp: Stamp }>;

/**
 * The records of a batch by timestamp; the record of a session comes after those of its items that ended with it, and
 * records with the time of sending come last.
 */
function recordsOf(batch: Batch, { origin, observedAt, stamp }: RecordContext): readonly OutgoingRecord<LogRecord>[] {
  const occurrences: readonly Occurrence[] = [...batch.events, ...batch.results.map(session => ({ session }))];
  return occurrences
    .map(of => ({ of, at: timeOf(of) }))
    .sort((a, b) => compare(a.at, b.at))
    .map(({ of, at }) => ({ of, at: stamp(at, observedAt) }))
    .sort((a, b) => compare(a.at, b.at))
    .map(({ of, at }) => outgoing(of, recordOf(of, origin, { observedAt, at })));
}

const recordOf = (
  { session, event, ownership }: Occurrence,
  origin: Origin,
  times: Readonly<{ observedAt: Nanos; at: Nanos }>,
) =>
  event === undefined
    ? sessionRecord(session, origin, times)
    : itemRecord({ session, event, ownership }, origin, times);

const timeOf = ({ session, event }: Occurrence): Nanos =>
  event === undefined ? sessionTime(session) : eventTime(event);

const compare = (a: Nanos, b: Nanos): number => (a < b ? -1 : Number(a > b));

/**
 * Limits of the backend: the age of a record, how far it may be behind the newest one, and how far ahead of the clock.
 * Undefined: no limit.
 */
export type TimeLimits = Readonly<{
  maxAge: Nanos | undefined;
  maxBehind: Nanos | undefined;
  maxAhead: Nanos | undefined;
}>;

/** The timestamp for a record of time `at` that is sent `now`. */
type Stamp = (at: Nanos, now: Nanos) => Nanos;

/**
 * A record outside the limits gets the time of sending, as does one whose time OTLP cannot hold. The newest record of an
 * earlier process is unknown; the first `now` stands for it, because it is never too old.
 */
export function stampWithin({ maxAge, maxBehind, maxAhead }: TimeLimits): Stamp {
  let newest: Nanos | undefined;
  return (at, now) => {
    newest ??= now;
    const isOld = maxAge !== undefined && now - at > maxAge;
    const isBehind = maxBehind !== undefined && newest - at > maxBehind;
    if (!isOld && !isBehind && !isAhead(at, now, maxAhead)) {
      if (at > newest && at <= now) newest = at;
      return at;
    }
    newest = now;
    return now;
  };
}
