import { type ExporterError, toExporterError } from '../kernel/errors.js';
import { seconds } from '../model/time.js';
import {
  type AbandonedEvents,
  BatchBuilder,
  type Correction,
  type ReadBatch,
  type SessionPart,
  type UnknownValue,
} from './batch-builder.js';
import type { DeliveredBatch } from './pending-commit.js';
import {
  concernsOneSession,
  type DeadLetter,
  type Delivered,
  type DroppedRecords,
  type RejectedEvent,
} from './ports.js';
import { readSession } from './read-session.js';
import { createReceiverProbe } from './receiver-probe.js';
import { type DeliveryReport, dueSessions, type Sample, type SinkWorker, type StopSignals } from './sink-worker.js';

/**
 * One delivery of a sink: what is new in its due sessions, oldest session first, batch by batch. A cursor moves only
 * after the sink has taken the events, so a crash repeats events and never loses one.
 * Never rejects: failures are in the report, and what failed stays due.
 */
export async function deliverDue(worker: SinkWorker, { quit, cut }: StopSignals): Promise<DeliveryReport> {
  const { server, sink, backlog, pendingCommit } = worker;
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
  summary.due = dueSessions(worker);
  return summary;
}

/** A session that could not be read rests this long, so that it does not hold up the others in every delivery. */
const restTime = seconds(10);

/** Reads and dedupes the due sessions, oldest first. Failures to read go into the summary. */
async function* readDue(worker: SinkWorker, summary: DeliverySummary, quit: AbortSignal): AsyncGenerator<SessionPart> {
  const { backlog, source } = worker;
  for (const entry of backlog.due(source.now())) {
    if (quit.aborted) return;
    try {
      yield* readSession(worker, entry, quit);
    } catch (thrown) {
      const error = toExporterError(thrown);
      summary.unread.push(error);
      if (!concernsOneSession(error)) return;
      backlog.backOff(entry.row.session, source.now() + restTime);
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
  readonly unread: ExporterError[] = [];
  readonly undelivered: ExporterError[] = [];
  readonly rejected = new Sampler<RejectedEvent>();
  readonly corrected = new Sampler<Correction>();
  readonly abandoned = new Sampler<AbandonedEvents>();
  readonly unknown = new Sampler<UnknownValue>();
  readonly deadLetters = new Sampler<DeadLetter>();
  readonly dropped = new Sampler<DroppedRecords>();

  get errors(): readonly ExporterError[] {
    return [...this.undelivered, ...this.unread];
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
