import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { Clock } from '../kernel/clock.js';
import { eventTime } from '../model/event.js';
import { sessionTime } from '../model/session.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { Batch, Sink } from '../pipeline/ports.js';
import { itemRecord, type Origin, sessionRecord } from '../telemetry/log-record.js';
import { type Stamp, stampWithin, type TimeLimits } from '../telemetry/record-time.js';
import type { AcknowledgingExporter } from './acknowledging-exporter.js';
import { createDelivery, deliveredBy, idsOf, type Parcel } from './delivery.js';

export type LogsSinkOptions = Readonly<{
  server: string;
  origin: Origin;
  exporter: AcknowledgingExporter<ReadableLogRecord>;
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
  return {
    name: 'logs',
    deliver: async (batch, signal) => {
      const parcels = parcelsOf(batch, { origin, observedAt: milliseconds(clock.now()), stamp });
      return deliveredBy('logs', server, batch, await deliver(parcels, signal));
    },
  };
}

type Telling = Readonly<{ origin: Origin; observedAt: Nanos; stamp: Stamp }>;

/**
 * The records of a batch, oldest first; a session's own comes after those of its items that ended with it. Those that
 * bear the time of sending come last, in the same order.
 */
function parcelsOf(batch: Batch, { origin, observedAt, stamp }: Telling): readonly Parcel<ReadableLogRecord>[] {
  const events = batch.events.map(taken => ({
    at: eventTime(taken.event),
    parcel: (bears: Nanos) => ({ ...idsOf(taken), item: itemRecord(taken, origin, observedAt, bears) }),
  }));
  const results = batch.results.map(session => ({
    at: sessionTime(session),
    parcel: (bears: Nanos) => ({ ...idsOf({ session }), item: sessionRecord(session, origin, observedAt, bears) }),
  }));
  return [...events, ...results]
    .sort((a, b) => compare(a.at, b.at))
    .map(({ at, parcel }) => ({ bears: stamp(at, observedAt), parcel }))
    .sort((a, b) => compare(a.bears, b.bears))
    .map(({ bears, parcel }) => parcel(bears));
}

const compare = (a: Nanos, b: Nanos): number => (a < b ? -1 : Number(a > b));
