import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { Clock } from '../kernel/clock.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { Session } from '../model/session.js';
import type { Batch, RejectedEvent, Sink, TakenEvent } from '../pipeline/ports.js';
import { createDelivery, deliveredBy, outgoing, type OutgoingRecord } from './bisecting-delivery.js';
import type { AcknowledgingExporter } from './exporter.js';
import type { Origin } from './log-record.js';
import { itemSpan, sessionSpan, type SpanClock } from './restore-span.js';

type TracesSinkOptions = Readonly<{
  server: string;
  origin: Origin;
  exporter: AcknowledgingExporter<ReadableSpan>;
  clock: Clock;
  /** How far a span may be ahead of the clock; undefined: no limit. */
  maxAhead: Nanos | undefined;
}>;

/**
 * Sends a batch as spans: an event as soon as it is final, and the root span when the session has stopped. When a
 * request fails, the whole batch is sent again; a repeated span has the same ids.
 */
export function tracesSink({ server, origin, exporter, clock, maxAhead }: TracesSinkOptions): Sink {
  const { deliver, probe } = createDelivery(exporter);
  return {
    name: 'traces',
    probe,
    deliver: async (batch, signal) => {
      const { traceable, records, rejected } = spansOf(batch, origin, { now: milliseconds(clock.now()), maxAhead });
      return { ...deliveredBy('traces', server, traceable, await deliver(records, signal)), rejected };
    },
  };
}

type Spans = Readonly<{
  traceable: Batch;
  records: readonly OutgoingRecord<ReadableSpan>[];
  rejected: readonly RejectedEvent[];
}>;

/** `traceable`: the batch without events and sessions whose ids are not GUIDs, which it counts as rejected instead. */
function spansOf(batch: Batch, origin: Origin, clock: SpanClock): Spans {
  const events = batch.events.flatMap(of => withSpan(of, itemSpan(of, origin, clock)));
  const results = batch.results.flatMap(session => withSpan({ session }, sessionSpan(session, origin, clock)));
  const records = [...events, ...results].map(({ of, span }) => outgoing(of, span));
  const { rejected } = batch.findings;
  const without = rejectedBy(batch, new Set(events.map(({ of }) => of)), new Set(results.map(({ of }) => of.session)));
  const findings = { ...batch.findings, rejected: { ...rejected, no_id: (rejected.no_id ?? 0) + without.length } };
  const traceable = {
    ...batch,
    events: events.map(({ of }) => of),
    results: results.map(({ of: { session } }) => session),
    findings,
  };
  return { traceable: without.length === 0 ? batch : traceable, records, rejected: without };
}

function rejectedBy(batch: Batch, events: ReadonlySet<TakenEvent>, results: ReadonlySet<Session>): RejectedEvent[] {
  const reason = 'no_id';
  const withoutSpan = batch.events.filter(taken => !events.has(taken));
  const sessions = batch.results.filter(session => !results.has(session));
  return [
    ...withoutSpan.map(({ session, event: { order, id } }) => ({ session: session.id, order, id, reason }) as const),
    ...sessions.map(({ id }) => ({ session: id, order: undefined, id: '', reason }) as const),
  ];
}

const withSpan = <Of>(of: Of, span: ReadableSpan | undefined) => (span === undefined ? [] : [{ of, span }]);
