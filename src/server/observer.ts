import type { FeedStatus } from '../discovery/feed-state.js';
import type { DiscoveryReport } from '../discovery/scheduler.js';
import type { Session } from '../model/session.js';
import type { Backlog } from '../pipeline/backlog.js';
import type { Batch, InstanceInfo, SinkName } from '../pipeline/ports.js';
import type { DeliveryReport } from '../pipeline/sink-worker.js';
import type { InstallationChange } from './installation.js';

/** Follows one server: metrics, the log and the landing page. */
export interface ServerObserver {
  /** The server has reported its installation; nothing has been read from it yet. */
  installationChanged(change: InstallationChange): void;
  /** What the server last said of itself; after every poll that did not fail. */
  identified(instance: InstanceInfo): void;
  /** A poll has ended. `open`: all open sessions. */
  discovered(report: DiscoveryReport, open: readonly Session[]): void;
  /** After every poll that may have changed it, and after every failure of the feed. */
  feed(status: FeedStatus): void;
  /** A delivery of a sink has ended, after so many seconds. */
  delivered(sink: SinkName, report: DeliveryReport, seconds: number): void;
  /** A sink has started; its backlog is up to date from then on. */
  opened?(sink: SinkName, backlog: Pick<Backlog, 'get'>): void;
  /** A batch has been delivered and committed. */
  committed?(sink: SinkName, batch: Batch): void;
}

/** One observer that calls each of these. */
export function together(observers: readonly Partial<ServerObserver>[]): ServerObserver {
  const each = (call: (observer: Partial<ServerObserver>) => void): void => {
    for (const observer of observers) call(observer);
  };
  return {
    installationChanged: change => each(observer => observer.installationChanged?.(change)),
    identified: instance => each(observer => observer.identified?.(instance)),
    discovered: (report, open) => each(observer => observer.discovered?.(report, open)),
    feed: status => each(observer => observer.feed?.(status)),
    delivered: (sink, report, seconds) => each(observer => observer.delivered?.(sink, report, seconds)),
    opened: (sink, backlog) => each(observer => observer.opened?.(sink, backlog)),
    committed: (sink, batch) => each(observer => observer.committed?.(sink, batch)),
  };
}
