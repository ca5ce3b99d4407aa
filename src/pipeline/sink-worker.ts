import type { Random } from '../kernel/clock.js';
import type { ExporterError } from '../kernel/errors.js';
import type { Nanos } from '../model/time.js';
import type { Backlog } from './backlog.js';
import type { AbandonedEvents, Correction, UnknownValue } from './batch-builder.js';
import type { PageCache } from './page-cache.js';
import type { PendingCommit } from './pending-commit.js';
import type {
  Batch,
  DeadLetter,
  DroppedRecords,
  RejectedEvent,
  ServedSeries,
  Sink,
  SinkName,
  Source,
} from './ports.js';
import type { SessionCache } from './session-cache.js';
import type { ReadFailure, ConcurrentReads } from './concurrent-reads.js';

/** One sink of one server, and everything that it works with. */
export type SinkWorker = Readonly<{
  server: string;
  source: Pick<Source, 'now'>;
  pageCache: PageCache;
  sessionCache: SessionCache;
  sink: Sink;
  pendingCommit: PendingCommit;
  backlog: Backlog;
  reads: ConcurrentReads;
  random: Random;
  /** Events and results from before are history for this sink. Server time. */
  since: () => Nanos;
  /** How long after the stop missing events are given up. */
  grace: Nanos;
  series: Pick<ServedSeries, 'apply'>;
  /** Called with each batch after its commit. */
  committed?: ((sink: SinkName, batch: Batch) => void) | undefined;
}>;

/** The backlog of a sink, without sessions that stopped before the sink began: they hold nothing to send. */
export const dueSessions = ({
  backlog,
  source,
  sessionCache,
  since,
}: Pick<SinkWorker, 'backlog' | 'source' | 'sessionCache' | 'since'>): number =>
  backlog.size(source.now(), session => (sessionCache.peek(session)?.stoppedAt ?? since()) < since());

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

export type StopSignals = Readonly<{
  /** Start nothing more and read no further; what has been read may be delivered. */
  quit: AbortSignal;
  /** Abort the delivery under way. */
  cut: AbortSignal;
}>;
