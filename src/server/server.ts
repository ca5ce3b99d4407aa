import type { Config, ServerConfig } from '../config/parse.js';
import type { History } from '../config/units.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { Gate } from '../kernel/semaphore.js';
import type { Log } from '../kernel/log.js';
import type { LinePlan, ServerLine } from './supervisor.js';
import { milliseconds, type Nanos } from '../model/time.js';
import { type Outlets, sinkNamesOf } from '../otlp/sinks.js';
import type { Installations } from './installations.js';
import { journal } from './log-observer.js';
import { type LineDeps, type Observer, runLine } from './run.js';
import type { Store } from '../pipeline/ports.js';
import { startAfterMs } from './spread.js';
import type { RecentFailures } from './recent-failures.js';
import { serverSource } from './source.js';
import type { FirstSight } from '../metrics/increment-hold.js';
import { health } from './metrics-observer.js';
import { metricsSink } from '../metrics/metrics-sink.js';
import type { Metrics } from '../metrics/registry.js';
import type { EndedRequest } from '../otlp/self-tracing.js';
import type { RestSource } from '../source/rest.js';
import { type ServerWatch, watchServer } from './status-observer.js';
import { bornDeltas, feedGapDeltas, replacedDeltas } from '../metrics/deltas.js';
import type { OrganizationLabel } from '../metrics/organizations.js';

/** What all lines share, as long as the program runs. */
export type LineParts = Readonly<{
  /** As it was at the start: what a reload does not exchange. */
  config: Config;
  version: string;
  log: Log;
  clock: Clock;
  random: Random;
  metrics: Metrics;
  store: Store;
  sight: FirstSight;
  outlets: Outlets;
  failures: RecentFailures;
  installations: Installations;
  /** Where requests to all servers wait for their place. */
  gate: Gate;
  /** By server. */
  labelOf: (server: string) => OrganizationLabel;
}>;

/**
 * The line of one server, put together.
 * @param among how many lines begin at once.
 */
export function serverLine(plan: LinePlan, among: number, parts: LineParts): ServerLine {
  const { server } = plan;
  const source = sourceOf(server, parts);
  const watch = watchServer(server, sinkNamesOf(parts.config), { ours: parts.clock, server: source });
  parts.installations.join(server.name);
  return {
    watch,
    run: async stopping => runLine(lineOf(plan, { ...parts, source, watch, among }), stopping),
    loginRefused: () => source.loginRefused(),
    close: async () => {
      parts.installations.leave(server.name);
      await source.close();
    },
  };
}

function sourceOf(server: ServerConfig, parts: LineParts): RestSource {
  const log = parts.log.child({ server: server.name });
  const { self } = parts.outlets;
  const requested = self && ((request: EndedRequest): void => self.request(server.name, request));
  return serverSource(server, { ...parts, log, requested });
}

type OwnParts = LineParts & Readonly<{ source: RestSource; watch: ServerWatch; among: number }>;

function lineOf({ server, history, abandonAfterMs }: LinePlan, parts: OwnParts): LineDeps {
  const { metrics, source, clock, log } = parts;
  const { name } = server;
  const labelOf = parts.labelOf(name);
  return {
    server: name,
    source,
    sinks: [
      metricsSink(name, { labelOf, holdBack: deltas => parts.sight.holdBack(deltas) }),
      ...parts.outlets.sinksOf(server),
    ],
    store: parts.store,
    clock,
    random: parts.random,
    intervals: { idleMs: server.pollIntervalMs, openMs: server.openPollIntervalMs },
    reconcileMs: server.reconcileIntervalMs,
    startAfterMs: startAfterMs(server.pollIntervalMs, parts.among, parts.random),
    grace: milliseconds(abandonAfterMs),
    beginAt: (sink, now) => (sink === 'metrics' ? now : lookBack(history, now)),
    installations: parts.installations,
    replaced: () => replacedDeltas(name),
    loginEndsAtMs: () => source.tokenExpiresAtMs(),
    born: session => bornDeltas(name, session, labelOf),
    feedGap: missed => feedGapDeltas(name, missed),
    stored: deltas => {
      metrics.stored.apply(deltas);
    },
    observer: together([
      health(name, metrics, { clock, connection: source, labelOf }),
      journal(log.child({ server: name })),
      parts.watch.observer,
    ]),
    opened: (sink, backlog) => parts.watch.opened(sink, backlog),
    recorded: (sink, batch) => {
      if (sink === 'metrics') parts.failures.note(name, batch);
    },
    around: parts.outlets.self?.around(name),
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

const together = (observers: readonly Observer[]): Observer => ({
  arrived: arrival => {
    for (const observer of observers) observer.arrived(arrival);
  },
  met: instance => {
    for (const observer of observers) observer.met(instance);
  },
  discovered: (report, open) => {
    for (const observer of observers) observer.discovered(report, open);
  },
  feed: state => {
    for (const observer of observers) observer.feed(state);
  },
  delivered: (sink, report) => {
    for (const observer of observers) observer.delivered(sink, report);
  },
});
