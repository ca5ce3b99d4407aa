import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Batch, Sink } from '../pipeline/ports.js';
import type { Origin } from '../telemetry/log-record.js';
import { spanIdOf, traceIdOf } from '../telemetry/ids.js';
import { itemSpan, sessionSpan } from '../telemetry/restore-span.js';
import type { AcknowledgingExporter } from './acknowledging-exporter.js';
import { createDelivery, deliveredBy, idsOf, type Parcel } from './delivery.js';

export type TracesSinkOptions = Readonly<{
  server: string;
  origin: Origin;
  exporter: AcknowledgingExporter<ReadableSpan>;
}>;

/**
 * Sends a batch as spans: events as children while their session may still be open, its root when it has stopped. When
 * a request fails, the whole batch is sent again; a repeated span has the same ids.
 */
export function tracesSink({ server, origin, exporter }: TracesSinkOptions): Sink {
  const deliver = createDelivery(exporter);
  return {
    name: 'traces',
    deliver: async (batch, signal) => {
      const told = traceable(batch);
      return deliveredBy('traces', server, told, await deliver(parcelsOf(told, origin), signal));
    },
  };
}

/** The batch without what can be in no trace, because its id or its session's is no GUID: that is counted as set aside. */
function traceable(batch: Batch): Batch {
  const events = batch.events.filter(
    ({ session, event }) => traceIdOf(session.id) !== undefined && spanIdOf(event.id) !== undefined,
  );
  const results = batch.results.filter(({ id }) => traceIdOf(id) !== undefined);
  const without = batch.events.length + batch.results.length - events.length - results.length;
  if (without === 0) return batch;
  const { rejected } = batch.findings;
  const findings = { ...batch.findings, rejected: { ...rejected, no_id: (rejected.no_id ?? 0) + without } };
  return { ...batch, events, results, findings };
}

const parcelsOf = ({ events, results }: Batch, origin: Origin): readonly Parcel<ReadableSpan>[] => [
  ...events.flatMap(taken => parcelsWith(idsOf(taken), itemSpan(taken, origin))),
  ...results.flatMap(session => parcelsWith(idsOf({ session }), sessionSpan(session, origin))),
];

const parcelsWith = (ids: ReturnType<typeof idsOf>, item: ReadableSpan | undefined): readonly Parcel<ReadableSpan>[] =>
  item === undefined ? [] : [{ ...ids, item }];
