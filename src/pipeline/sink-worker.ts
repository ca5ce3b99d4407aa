import type { ExporterError } from '../kernel/errors.js';
import type { Nanos } from '../model/time.js';
import type { Backlog } from './backlog.js';
import type { Headers } from './session-cache.js';
import type { Ledger } from './pending-commit.js';
import type { Pages } from './page-cache.js';
import type { Batch, SeriesDelta, SetAside, Sink, SinkName, Source } from './ports.js';

/** Everything that one sink's loop for one server works with. */
export type Lane = Readonly<{
  server: string;
  source: Pick<Source, 'now'>;
  pages: Pages;
  headers: Headers;
  sink: Sink;
  ledger: Ledger;
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
export type LaneReport = Readonly<{
  /** Events recorded as taken. */
  taken: number;
  corrections: number;
  /** Sessions that could not be read, or the one failure that ended the turn. */
  errors: readonly ExporterError[];
  /** Those of the errors which are not of reading: the sink, or the store, has not taken a batch. */
  undelivered?: readonly ExporterError[];
  /** Records that the other side will not have. */
  setAside?: readonly SetAside[];
  /** Sessions that the sink still has to read: its backlog. */
  due: number;
}>;

export type Stopping = Readonly<{
  /** Begin nothing more and read no further; what has been read may be delivered. */
  quit: AbortSignal;
  /** Give up what is being delivered. */
  cut: AbortSignal;
}>;
