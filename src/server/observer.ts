import type { FeedStatus } from '../discovery/feed-state.js';
import type { DiscoveryReport } from '../discovery/scheduler.js';
import type { Session } from '../model/session.js';
import type { Backlog } from '../pipeline/backlog.js';
import type { Batch, InstanceInfo, SinkName } from '../pipeline/ports.js';
import type { DeliveryReport } from '../pipeline/delivery-report.js';
import type { InstallationChange } from './installation.js';

/** Follows one server: metrics, the log and the landing page. */
export interface ServerObserver {
  /** The server has reported its installation; nothing has been read from it yet. */
  installationChanged(change: InstallationChange): void;
  /** What the server last reported about itself; after every poll that did not fail. */
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
  return {
    installationChanged: change => observers.forEach(one => one.installationChanged?.(change)),
    identified: instance => observers.forEach(one => one.identified?.(instance)),
    discovered: (report, open) => observers.forEach(one => one.discovered?.(report, open)),
    feed: status => observers.forEach(one => one.feed?.(status)),
    delivered: (sink, report, seconds) => observers.forEach(one => one.delivered?.(sink, report, seconds)),
    opened: (sink, backlog) => observers.forEach(one => one.opened?.(sink, backlog)),
    committed: (sink, batch) => observers.forEach(one => one.committed?.(sink, batch)),
  };
}
