import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Batch, Sink } from '../pipeline/ports.js';
import type { Origin } from './log-record.js';
import { itemSpan, sessionSpan } from './restore-span.js';
import type { AcknowledgingExporter } from './exporter.js';
import { createDelivery, deliveredBy, idsOf, type OutgoingRecord } from './bisecting-delivery.js';

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
      const { told, records } = spansOf(batch, origin);
      return deliveredBy('traces', server, told, await deliver(records, signal));
    },
  };
}

type Spans = Readonly<{ told: Batch; records: readonly OutgoingRecord<ReadableSpan>[] }>;

/** `told`: the batch without what can be in no trace, because an id is no GUID; that is counted as rejected for it. */
function spansOf(batch: Batch, origin: Origin): Spans {
  const events = batch.events.flatMap(taken => withSpan(taken, itemSpan(taken, origin)));
  const results = batch.results.flatMap(session => withSpan(session, sessionSpan(session, origin)));
  const parcels = [
    ...events.map(({ of, item }) => ({ ...idsOf(of), item })),
    ...results.map(({ of, item }) => ({ ...idsOf({ session: of }), item })),
  ];
  const without = batch.events.length + batch.results.length - parcels.length;
  if (without === 0) return { told: batch, records: parcels };
  const { rejected } = batch.findings;
  const findings = { ...batch.findings, rejected: { ...rejected, no_id: (rejected.no_id ?? 0) + without } };
  const told = { ...batch, events: events.map(({ of }) => of), results: results.map(({ of }) => of), findings };
  return { told, records: parcels };
}

const withSpan = <Of>(of: Of, item: ReadableSpan | undefined) => (item === undefined ? [] : [{ of, item }]);
