import type { Config, ServerConfig } from '../config/parse.js';
import type { History } from '../config/duration.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { Semaphore } from '../kernel/semaphore.js';
import type { Log } from '../kernel/log.js';
import type { ServerSpec, ManagedServer } from './supervisor.js';
import { milliseconds, type Nanos } from '../model/time.js';
import { type OtlpSinks, sinkNamesOf } from '../otlp/sinks.js';
import type { Installations } from './installations.js';
import { logObserver } from './log-observer.js';
import { type RunDeps, type ServerObserver, runServer } from './run.js';
import type { Store } from '../pipeline/ports.js';
import { startAfterMs } from './spread.js';
import type { RecentFailures } from './recent-failures.js';
import { serverSource } from './source.js';
import type { IncrementHold } from '../metrics/increment-hold.js';
import { metricsObserver } from './metrics-observer.js';
import { metricsSink } from '../metrics/metrics-sink.js';
import type { Metrics } from '../metrics/registry.js';
import type { RestSource } from '../source/rest.js';
import { type StatusObserver, statusObserver } from './status-observer.js';
import { initialSessionDeltas, feedGapDeltas, replacedDeltas } from '../metrics/deltas.js';
import type { OrganizationLabel } from '../metrics/organizations.js';

/** What all lines share, as long as the program runs. */
export type ServerParts = Readonly<{
  /** As it was at the start: what a reload does not exchange. */
  config: Config;
  version: string;
  log: Log;
  clock: Clock;
  random: Random;
  metrics: Metrics;
  store: Store;
  incrementHold: IncrementHold;
  otlpSinks: OtlpSinks;
  failures: RecentFailures;
  installations: Installations;
  /** Where requests to all servers wait for their place. */
  semaphore: Semaphore;
  /** By server. */
  labelOf: (server: string) => OrganizationLabel;
}>;

/**
 * The line of one server, put together.
 * @param among how many lines begin at once.
 */
export function createServer(plan: ServerSpec, among: number, parts: ServerParts): ManagedServer {
  const { server } = plan;
  const source = sourceOf(server, parts);
  const status = statusObserver(server, sinkNamesOf(parts.config), { ours: parts.clock, server: source });
  parts.installations.join(server.name);
  return {
    status,
    run: async stopping => runServer(lineOf(plan, { ...parts, source, status, among }), stopping),
    loginRefused: () => source.loginRefused(),
    close: async () => {
      parts.installations.leave(server.name);
      await source.close();
    },
  };
}

function sourceOf(server: ServerConfig, parts: ServerParts): RestSource {
  return serverSource(server, { ...parts, log: parts.log.child({ server: server.name }) });
}

type OwnParts = ServerParts & Readonly<{ source: RestSource; status: StatusObserver; among: number }>;

function lineOf({ server, history, abandonAfterMs }: ServerSpec, parts: OwnParts): RunDeps {
  const { metrics, source, clock, log } = parts;
  const { name } = server;
  const labelOf = parts.labelOf(name);
  return {
    server: name,
    source,
    sinks: [metricsSink(name, { labelOf, incrementHold: parts.incrementHold }), ...parts.otlpSinks.sinksOf(server)],
    store: parts.store,
    clock,
    random: parts.random,
    intervals: { idleMs: server.pollIntervalMs, openMs: server.openPollIntervalMs },
    reconcileMs: server.reconcileIntervalMs,
    startAfterMs: startAfterMs(server.pollIntervalMs, parts.among, parts.random),
    grace: milliseconds(abandonAfterMs),
    beginAt: (sink, now) => (sink === 'metrics' ? now : lookBack(history, now)),
    installations: parts.installations,
    replacedDeltas: () => replacedDeltas(name),
    loginEndsAtMs: () => source.tokenExpiresAtMs(),
    initialDeltas: session => initialSessionDeltas(name, session, labelOf),
    feedGapDeltas: missed => feedGapDeltas(name, missed),
    stored: deltas => {
      metrics.stored.apply(deltas);
    },
    observer: together([
      metricsObserver(name, metrics, { clock, connection: source, labelOf }),
      logObserver(log.child({ server: name })),
      parts.status.observer,
      parts.otlpSinks.ownTelemetry?.observer(name) ?? {},
    ]),
    opened: (sink, backlog) => parts.status.opened(sink, backlog),
    recorded: (sink, batch) => {
      if (sink === 'metrics') parts.failures.note(name, batch);
    },
  };
}

/** How far back a sink looks that meets a server at `now` for the first time. */
function lookBack(history: History, now: Nanos): Nanos {
  switch (history.kind) {
    case 'now':
      return now;
    case 'all':
      return 0n;
    case 'ago':
      return now - milliseconds(history.ms);
    case 'since':
      return history.at;
  }
}

const together = (observers: readonly Partial<ServerObserver>[]): ServerObserver => ({
  installationChanged: change => {
    for (const observer of observers) observer.installationChanged?.(change);
  },
  met: instance => {
    for (const observer of observers) observer.met?.(instance);
  },
  discovered: (report, open) => {
    for (const observer of observers) observer.discovered?.(report, open);
  },
  feed: state => {
    for (const observer of observers) observer.feed?.(state);
  },
  delivered: (sink, report, seconds) => {
    for (const observer of observers) observer.delivered?.(sink, report, seconds);
  },
});
