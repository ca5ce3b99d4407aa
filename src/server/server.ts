import type { Config } from '../config/parse.js';
import type { History } from '../config/duration.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { Semaphore } from '../kernel/semaphore.js';
import { feedGapDeltas, initialSessionDeltas, replacedDeltas } from '../metrics/deltas.js';
import type { IncrementHold } from '../metrics/increment-hold.js';
import { metricsSink } from '../metrics/metrics-sink.js';
import type { OrganizationLabel } from '../metrics/organizations.js';
import type { Metrics } from '../metrics/registry.js';
import { milliseconds, type Nanos } from '../model/time.js';
import { type OtlpSinks, sinkNamesOf } from '../otlp/sinks.js';
import type { Store } from '../pipeline/ports.js';
import type { RestSource } from '../source/rest.js';
import type { Installations } from './installation.js';
import { logObserver } from './log-observer.js';
import { metricsObserver } from './metrics-observer.js';
import { together } from './observer.js';
import type { RecentFailures } from './recent-failures.js';
import { type RunDeps, runServer } from './run.js';
import { serverSource } from './source.js';
import { type StatusObserver, statusObserver } from './status-observer.js';
import type { ManagedServer, ServerSpec } from './supervisor.js';

/** What all servers share while the program runs. */
export type SharedServices = Readonly<{
  /** The configuration at the start: the settings that a reload does not change. */
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
  /** Limits the concurrent requests to all servers. */
  semaphore: Semaphore;
  labelOf: (server: string) => OrganizationLabel;
}>;

/**
 * Builds one server: its source, sinks and observers.
 * @param among how many servers start at the same time.
 */
export function createServer(spec: ServerSpec, among: number, shared: SharedServices): ManagedServer {
  const { name } = spec.server;
  const { clock, installations, failures } = shared;
  const log = shared.log.child({ server: name });
  const source = serverSource(spec.server, { ...shared, log });
  const status = statusObserver(spec.server, sinkNamesOf(shared.config), { clock, source, failures });
  installations.add(name);
  return {
    status,
    run: async stopping => runServer(runDeps(spec, { ...shared, log, source, status, among }), stopping),
    loginRefused: () => source.loginRefused(),
    close: async () => {
      installations.remove(name);
      await source.close();
    },
  };
}

type OwnServices = SharedServices & Readonly<{ source: RestSource; status: StatusObserver; among: number }>;

function runDeps({ server, history, abandonAfterMs }: ServerSpec, services: OwnServices): RunDeps {
  const { metrics, source, clock, random, incrementHold, otlpSinks, log, status } = services;
  const { name } = server;
  const labelOf = services.labelOf(name);
  return {
    server: name,
    source,
    sinks: [metricsSink(name, labelOf, incrementHold), ...otlpSinks.sinksOf(server)],
    store: services.store,
    series: {
      apply: deltas => metrics.stored.apply(deltas),
      initialDeltas: session => initialSessionDeltas(name, session, labelOf),
      feedGapDeltas: missed => feedGapDeltas(name, missed),
      replacedDeltas: () => replacedDeltas(name),
    },
    installations: services.installations,
    clock,
    random,
    schedule: {
      startAfterMs: startAfterMs(server.pollIntervalMs, services.among, random),
      idleMs: server.pollIntervalMs,
      openMs: server.openPollIntervalMs,
      reconcileMs: server.reconcileIntervalMs,
    },
    beginAt: (sink, now) => (sink === 'metrics' ? now : historyStart(history, now)),
    grace: milliseconds(abandonAfterMs),
    observer: together([
      metricsObserver(name, metrics, { clock, connection: source, labelOf }),
      logObserver(log),
      status,
      otlpSinks.ownTelemetry?.observer(name) ?? {},
    ]),
  };
}

const startSpreadMs = 100;

/**
 * How long a server waits before its first poll, in ms, so that the polls of many servers do not coincide: 0 for a
 * single server, else a random time within 100 ms for each, or within the interval if that is shorter.
 */
export const startAfterMs = (pollIntervalMs: number, servers: number, random: Random): number =>
  servers === 1 ? 0 : random() * Math.min(pollIntervalMs, servers * startSpreadMs);

/** Where an OTLP sink begins with a server that is first polled at `now`. */
function historyStart(history: History, now: Nanos): Nanos {
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
