import type { ExporterError } from '../kernel/errors.js';
import type { Nanos } from '../model/time.js';
import type { Backlog } from './backlog.js';
import type { SessionCache } from './session-cache.js';
import type { PendingCommit } from './pending-commit.js';
import type { PageCache } from './page-cache.js';
import type { Batch, SeriesDelta, DeadLetter, Sink, SinkName, Source } from './ports.js';

/** Everything that one sink's loop for one server works with. */
export type SinkWorker = Readonly<{
  server: string;
  source: Pick<Source, 'now'>;
  pageCache: PageCache;
  sessionCache: SessionCache;
  sink: Sink;
  pendingCommit: PendingCommit;
  backlog: Backlog;
  /** What ended before is history for this sink. Server time. */
  since: () => Nanos;
  /** How long after the stop an open hole is given up. */
  grace: Nanos;
  /** Told of the deltas that have been stored, so that what is served never runs ahead of the disk. */
  stored: (deltas: readonly SeriesDelta[]) => void;
  /** Told of each batch that the sink has taken, once that has been recorded. */
  recorded?: ((sink: SinkName, batch: Batch) => void) | undefined;
}>;

/** What a turn of a sink did. */
export type DeliveryReport = Readonly<{
  /** Events recorded as taken. */
  taken: number;
  corrections: number;
  /** Sessions that could not be read, or the one failure that ended the turn. */
  errors: readonly ExporterError[];
  /** Those of the errors which are not of reading: the sink, or the store, has not taken a batch. */
  undelivered?: readonly ExporterError[];
  /** Records that the other side will not have. */
  deadLetters?: readonly DeadLetter[];
  /** Sessions that the sink still has to read: its backlog. */
  due: number;
}>;

export type StopSignals = Readonly<{
  /** Begin nothing more and read no further; what has been read may be delivered. */
  quit: AbortSignal;
  /** Give up what is being delivered. */
  cut: AbortSignal;
}>;
