import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { Clock } from '../kernel/clock.js';
import { eventTime } from '../model/event.js';
import { milliseconds, type Nanos } from '../model/time.js';
import type { Batch, Sink } from '../pipeline/ports.js';
import { itemRecord, type Origin, sessionRecord, sessionTime } from '../telemetry/log-record.js';
import { sinkDeltas } from '../telemetry/metrics.js';
import type { AcknowledgingExporter } from './acknowledging-exporter.js';

/** Records per request: half a megabyte of JSON, some 2 ms to encode. */
const requestSize = 512;

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
  let failedBefore = false;
  return {
    name: 'logs',
    deliver: async (batch, signal) => {
      const records = recordsOf(batch, origin, milliseconds(clock.now()));
      const outcome = failedBefore ? 'retried' : 'delivered';
      failedBefore = true;
      const refused = await sendAll(records, exporter, signal);
      failedBefore = false;
      return sinkDeltas(server, 'logs', batch, { outcome, refused });
    },
  };
}

/** Sends in turn, so that records arrive in order; answers how many were refused for good. */
async function sendAll(
  records: readonly ReadableLogRecord[],
  exporter: AcknowledgingExporter,
  signal: AbortSignal,
): Promise<number> {
  let refused = 0;
  for (let from = 0; from < records.length; from += requestSize) {
    // oxlint-disable-next-line no-await-in-loop -- one request at a time is the point
    const acknowledgement = await exporter.export(records.slice(from, from + requestSize), signal);
    refused += acknowledgement.refused;
  }
  return refused;
}

/** The records of a batch, oldest first; a session's own comes after those of its items that ended with it. */
function recordsOf(batch: Batch, origin: Origin, observedAt: Nanos): readonly ReadableLogRecord[] {
  const timed = [
    ...batch.events.map(taken => ({ at: eventTime(taken.event), record: itemRecord(taken, origin, observedAt) })),
    ...batch.results.map(session => ({ at: sessionTime(session), record: sessionRecord(session, origin, observedAt) })),
  ];
  return timed.sort((a, b) => compare(a.at, b.at)).map(({ record }) => record);
}

const compare = (a: Nanos, b: Nanos): number => (a < b ? -1 : Number(a > b));
