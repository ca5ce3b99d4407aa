import type { Random } from '../kernel/clock.js';
import type { Nanos } from '../model/time.js';
import type { Backlog } from './backlog.js';
import type { PageCache } from './page-cache.js';
import type { PendingCommit } from './pending-commit.js';
import type { Batch, ServedSeries, Sink, SinkName, Source } from './ports.js';
import type { SessionCache } from './session-cache.js';
import type { ConcurrentReads } from './concurrent-reads.js';

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

export type StopSignals = Readonly<{
  /** Start nothing more and read no further; what has been read may be delivered. */
  quit: AbortSignal;
  /** Abort the delivery under way. */
  cut: AbortSignal;
}>;
