import type { Clock } from '../kernel/clock.js';
import { eventTime, type RestoreEvent } from '../model/event.js';
import { type Session, sessionTime } from '../model/session.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { Batch, Sink } from '../pipeline/ports.js';
import { type Origin, type Recorder, recorder } from './log-record.js';
import type { RestoreRecord } from './restore-record.js';
import { type Stamp, stampWithin, type TimeLimits } from './record-time.js';
import type { AcknowledgingExporter } from './exporter.js';
import { createDelivery, deliveredBy, type OutgoingRecord } from './bisecting-delivery.js';

export type LogsSinkOptions = Readonly<{
  server: string;
  origin: Origin;
  exporter: AcknowledgingExporter<RestoreRecord>;
  clock: Clock;
  limits: TimeLimits;
}>;

/**
 * Sends a batch as log records, in order of time, in as many requests as it takes. When one fails, the whole batch is
 * not taken, also what the requests before it delivered: that is sent again, with the same `log.record.uid`.
 */
export function logsSink({ server, origin, exporter, clock, limits }: LogsSinkOptions): Sink {
  const deliver = createDelivery(exporter);
  const stamp = stampWithin(limits);
  const records = recorder(origin);
  return {
    name: 'logs',
    deliver: async (batch, signal) => {
      const outgoing = recordsOf(batch, { records, observedAt: milliseconds(clock.now()), stamp });
      return deliveredBy('logs', server, batch, await deliver(outgoing, signal));
    },
  };
}

/** An event of a session, or the session itself when it has stopped. */
type Told = Readonly<{ session: Session; event?: RestoreEvent }>;
type Telling = Readonly<{ records: Recorder; observedAt: Nanos; stamp: Stamp }>;

/**
 * The records of a batch, oldest first; a session's own comes after those of its items that ended with it. Those that
 * bear the time of sending come last, in the same order.
 */
function recordsOf(batch: Batch, { records, observedAt, stamp }: Telling): readonly OutgoingRecord<RestoreRecord>[] {
  const told: readonly Told[] = [...batch.events, ...batch.results.map(session => ({ session }))];
  return told
    .map(one => ({ one, at: timeOf(one) }))
    .sort((a, b) => compare(a.at, b.at))
    .map(({ one, at }) => ({ one, bears: stamp(at, observedAt) }))
    .sort((a, b) => compare(a.bears, b.bears))
    .map(({ one: { session, event }, bears }) =>
      event === undefined
        ? { session: session.id, event: '', item: records.session(session, observedAt, bears) }
        : { session: session.id, event: event.id, item: records.item({ session, event }, observedAt, bears) },
    );
}

const timeOf = ({ session, event }: Told): Nanos => (event === undefined ? sessionTime(session) : eventTime(event));

const compare = (a: Nanos, b: Nanos): number => (a < b ? -1 : Number(a > b));
