import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { Clock } from '../kernel/clock.js';
import { eventTime } from '../model/event.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { Batch, Sink } from '../pipeline/ports.js';
import { itemRecord, type Origin, sessionRecord, sessionTime } from '../telemetry/log-record.js';
import type { AcknowledgingExporter } from './acknowledging-exporter.js';
import { createDelivery, deliveredBy, idsOf, type Parcel } from './delivery.js';

export type LogsSinkOptions = Readonly<{
  server: string;
  origin: Origin;
  exporter: AcknowledgingExporter;
  clock: Clock;
}>;

/**
 * Sends a batch as log records, in order of time, in as many requests as it takes. When one fails, the whole batch is
 * not taken, also what the requests before it delivered: that is sent again, with the same `log.record.uid`.
 */
export function logsSink({ server, origin, exporter, clock }: LogsSinkOptions): Sink {
  const deliver = createDelivery(exporter);
  return {
    name: 'logs',
    deliver: async (batch, signal) => {
      const delivery = await deliver(parcelsOf(batch, origin, milliseconds(clock.now())), signal);
      return deliveredBy('logs', server, batch, delivery);
    },
  };
}

/** The records of a batch, oldest first; a session's own comes after those of its items that ended with it. */
function parcelsOf(batch: Batch, origin: Origin, observedAt: Nanos): readonly Parcel<ReadableLogRecord>[] {
  const events = batch.events.map(taken => ({
    at: eventTime(taken.event),
    parcel: { ...idsOf(taken), item: itemRecord(taken, origin, observedAt) },
  }));
  const results = batch.results.map(session => ({
    at: sessionTime(session),
    parcel: { ...idsOf({ session }), item: sessionRecord(session, origin, observedAt) },
  }));
  return [...events, ...results].sort((a, b) => compare(a.at, b.at)).map(({ parcel }) => parcel);
}

const compare = (a: Nanos, b: Nanos): number => (a < b ? -1 : Number(a > b));
