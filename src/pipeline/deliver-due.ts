import { type ExporterError, toExporterError } from '../kernel/errors.js';
import {
  type AbandonedEvents,
  BatchBuilder,
  type Correction,
  type ReadBatch,
  type SessionPart,
  type UnknownValue,
} from './batch-builder.js';
import type { ReadFailure } from './concurrent-reads.js';
import type { DeliveredBatch } from './pending-commit.js';
import type { DeadLetter, Delivered, DroppedRecords, RejectedEvent } from './ports.js';
import { createReceiverProbe } from './receiver-probe.js';
import { type DeliveryReport, dueSessions, type Sample, type SinkWorker, type StopSignals } from './sink-worker.js';

/**
 * One delivery of a sink: what is new in its due sessions, oldest session first, batch by batch. A session that does not
 * answer holds up no other. A cursor moves only after the sink has taken the events, so a crash repeats events and never
 * loses one.
 * Never rejects: failures are in the report, and what failed stays due.
 */
export async function deliverDue(worker: SinkWorker, { quit, cut }: StopSignals): Promise<DeliveryReport> {
  const { server, source, sink, backlog, reads, pendingCommit } = worker;
  const summary = new DeliverySummary();
  const probe = createReceiverProbe(sink);
  try {
    apply(worker, summary, await pendingCommit.commit()); // what the last delivery could not store
    for await (const read of inBatches(worker, readDue(worker, summary, quit))) {
      if (!read.hasNews) {
        read.entries.forEach(backlog.put); // they wait for the next poll
        continue;
      }
      const delivered = await probe.deliver(read.batch, cut); // acknowledged, or throws and nothing counts as taken
      if (delivered === undefined) continue; // a suspect batch: its cursors do not move
      apply(worker, summary, await pendingCommit.commit(deliveredBatch(server, read, delivered))); // served only after the commit
    }
  } catch (thrown) {
    summary.undelivered.push(toExporterError(thrown));
  }
  summary.undelivered.unshift(...probe.refusals.slice(0, 1));
  reads.endDelivery(summary.undelivered.length === 0); // what was not taken is read again from its cursors
  summary.late = reads.newlyLate();
  summary.due = dueSessions(worker);
  summary.retryInMs = backlog.nextRetryMs(source.now(), reads.isReading);
  return summary;
}

/** Reads and dedupes the due sessions, a few at a time. Failures to read go into the summary. */
async function* readDue(worker: SinkWorker, summary: DeliverySummary, quit: AbortSignal): AsyncGenerator<SessionPart> {
  const { backlog, source, reads, random } = worker;
  for await (const outcome of reads.outcomes(backlog.due(source.now(), reads.isReading), quit)) {
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

/** Adds up what a delivery did. */
class DeliverySummary implements DeliveryReport {
  taken = 0;
  due = 0;
  late: readonly string[] = [];
  retryInMs: number | undefined;
  readonly unread: ReadFailure[] = [];
  readonly undelivered: ExporterError[] = [];
  readonly rejected = new Sampler<RejectedEvent>();
  readonly corrected = new Sampler<Correction>();
  readonly abandoned = new Sampler<AbandonedEvents>();
  readonly unknown = new Sampler<UnknownValue>();
  readonly deadLetters = new Sampler<DeadLetter>();
  readonly dropped = new Sampler<DroppedRecords>();

  get errors(): readonly ExporterError[] {
    return [...this.undelivered, ...this.unread.map(({ error }) => error)];
  }

  add({ batch, rejected, corrected, abandoned, unknown, dropped, change }: DeliveredBatch): void {
    this.taken += batch.events.length;
    this.rejected.add(rejected);
    this.corrected.add(corrected);
    this.abandoned.add(abandoned);
    this.unknown.add(unknown);
    this.dropped.add(dropped);
    this.deadLetters.add(change.deadLetters ?? []);
  }
}

const sampleSize = 10;

/** Keeps the first few items and counts the others. */
class Sampler<Item> implements Sample<Item> {
  count = 0;
  readonly first: Item[] = [];

  add(items: readonly Item[]): void {
    this.count += items.length;
    this.first.push(...items.slice(0, sampleSize - this.first.length));
  }
}
