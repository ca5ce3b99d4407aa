import type { ExporterError } from '../kernel/errors.js';
import type { AbandonedEvents, Correction, UnknownValue } from './batch-builder.js';
import type { ReadFailure } from './concurrent-reads.js';
import type { DeliveredBatch } from './pending-commit.js';
import type { DeadLetter, DroppedRecords, RejectedEvent } from './ports.js';

/** The number of items, and the first few of them. */
export type Sample<Item> = Readonly<{ count: number; first: readonly Item[] }>;

/** What one delivery of a sink did. */
export type DeliveryReport = Readonly<{
  /** Number of events delivered and committed. */
  taken: number;
  /** All failures, the most important first. */
  errors: readonly ExporterError[];
  /** The errors of the sink and the store, without those of reading. */
  undelivered: readonly ExporterError[];
  /** Sessions that could not be read. */
  unread: readonly ReadFailure[];
  /** Sessions that have waited 10 s for an answer, each reported once. */
  late: readonly string[];
  /** How long until a session that could not be read is due again, in ms; undefined if there is none. */
  retryInMs: number | undefined;
  /** Events that could not be decoded, or had a duplicate order. */
  rejected: Sample<RejectedEvent>;
  /** Events that changed after they were taken. */
  corrected: Sample<Correction>;
  /** Sessions with events that were given up. */
  abandoned: Sample<AbandonedEvents>;
  /** Values that the exporter does not know, of delivered events and results. */
  unknown: Sample<UnknownValue>;
  /** Records that the receiver refused for good. */
  deadLetters: Sample<DeadLetter>;
  /** Requests of which the receiver dropped records. */
  dropped: Sample<DroppedRecords>;
  /** Sessions that the sink still has to read: its backlog. */
  due: number;
}>;

/** Adds up what a delivery did. */
export class DeliverySummary implements DeliveryReport {
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
