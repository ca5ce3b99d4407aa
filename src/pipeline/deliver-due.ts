import { toExporterError } from '../kernel/errors.js';
import { BatchBuilder, type ReadBatch, type SessionPart } from './batch-builder.js';
import { type DeliveryReport, DeliverySummary } from './delivery-report.js';
import type { DeliveredBatch } from './pending-commit.js';
import type { Delivered } from './ports.js';
import { readSession } from './read-session.js';
import { createSuspectSkipper } from './suspect-batches.js';
import { dueSessions, type SinkWorker, type StopSignals } from './sink-worker.js';

/**
 * One delivery of a sink: what is new in its due sessions, oldest session first, batch by batch. A session that does not
 * answer does not delay the others. A cursor moves only after the sink has taken the events, so a crash repeats events and never
 * loses one.
 * Never rejects: failures are in the report, and what failed stays due.
 */
export async function deliverDue(worker: SinkWorker, { quit, cut }: StopSignals): Promise<DeliveryReport> {
  const { server, source, sink, backlog, reads, pendingCommit } = worker;
  const summary = new DeliverySummary();
  const suspects = createSuspectSkipper(sink);
  try {
    apply(worker, summary, await pendingCommit.commit()); // what the last delivery could not store
    for await (const read of inBatches(worker, readDue(worker, summary, quit))) {
      if (!read.hasNews) {
        read.entries.forEach(backlog.put); // they wait for the next poll
        continue;
      }
      const delivered = await suspects.deliver(read.batch, cut); // acknowledged, or throws and nothing counts as taken
      if (delivered === undefined) continue; // a suspect batch: its cursors do not move
      apply(worker, summary, await pendingCommit.commit(deliveredBatch(server, read, delivered))); // served only after the commit
    }
  } catch (thrown) {
    summary.undelivered.push(toExporterError(thrown));
  }
  summary.undelivered.unshift(...suspects.refusals.slice(0, 1));
  reads.endDelivery(summary.undelivered.length === 0); // what was not taken is read again from its cursors
  summary.late = reads.newlyLate();
  summary.due = dueSessions(worker);
  summary.retryInMs = backlog.nextRetryMs(source.now(), reads.isReading);
  return summary;
}

/** Reads and dedupes the due sessions, a few at a time. Failures to read go into the summary. */
async function* readDue(worker: SinkWorker, summary: DeliverySummary, quit: AbortSignal): AsyncGenerator<SessionPart> {
  const { backlog, source, reads, random } = worker;
  const due = backlog.due(source.now(), reads.isReading);
  for await (const outcome of reads.outcomes(due, (entry, signal) => readSession(worker, entry, signal), quit)) {
    if ('error' in outcome) {
      summary.unread.push(outcome);
      backlog.backOff(outcome.session, source.now(), random);
    } else {
      backlog.endBackOff(outcome.entry.row.session);
      yield outcome;
    }
  }
}

/** Gathers parts into batches of at most 1,000 events. */
async function* inBatches({ source }: SinkWorker, parts: AsyncIterable<SessionPart>) {
  let builder = new BatchBuilder();
  for await (const part of parts) {
    if (!builder.hasRoomFor(part)) {
      yield builder.build(source.now());
      builder = new BatchBuilder();
    }
    builder.add(part);
  }
  yield builder.build(source.now());
}

function deliveredBatch(server: string, read: ReadBatch, delivered: Delivered): DeliveredBatch {
  const { rejected = [], dropped = [], ...stored } = delivered;
  return { ...read, rejected: [...read.rejected, ...rejected], dropped, change: { server, ...stored } };
}

function apply(worker: SinkWorker, summary: DeliverySummary, committed: DeliveredBatch | undefined): void {
  if (committed === undefined) return;
  worker.series.apply(committed.change.deltas ?? []);
  for (const entry of committed.entries) worker.backlog.put(entry);
  worker.committed?.(worker.sink.name, committed.batch);
  summary.add(committed);
}
