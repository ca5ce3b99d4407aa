import type { Config } from '../config/parse.js';
import { historyStart } from '../config/duration.js';
import type { Random } from '../kernel/clock.js';
import { deletedDeltas, feedGapDeltas, initialSessionsDeltas, replacedDeltas } from '../metrics/deltas.js';
import type { IncrementHold } from '../metrics/increment-hold.js';
import { metricsSink } from '../metrics/metrics-sink.js';
import type { OrganizationLabel } from '../metrics/organizations.js';
import { milliseconds } from '../model/time.js';
import { type OtlpSinks, sinkNamesOf } from '../otlp/sinks.js';
import type { Store } from '../pipeline/ports.js';
import type { Installations } from './installation.js';
import { logObserver } from './log-observer.js';
import { metricsObserver } from './metrics-observer.js';
import { together } from './observer.js';
import type { RecentFailures } from './recent-failures.js';
import { type RunDeps, runServer } from './run.js';
import { serverSource, type SourceParts } from './source.js';
import { statusObserver } from './status-observer.js';
import type { ManagedServer, ServerSpec } from './supervisor.js';

/** What all servers share while the program runs. */
export type SharedServices = SourceParts &
  Readonly<{
    /** The configuration at the start: the settings that a reload does not change. */
    config: Config;
    store: Store;
    incrementHold: IncrementHold;
    otlpSinks: OtlpSinks;
    failures: RecentFailures;
    installations: Installations;
    labelOf: (server: string) => OrganizationLabel;
  }>;

/**
 * Builds one server: its source, sinks and observers.
 * @param among how many servers start at the same time.
 */
export function createServer(spec: ServerSpec, among: number, shared: SharedServices): ManagedServer {
  const { server, history, abandonAfterMs } = spec;
  const { name } = server;
  const { clock, random, metrics, installations, otlpSinks } = shared;
  const log = shared.log.child({ server: name });
  const labelOf = shared.labelOf(name);
  const source = serverSource(server, { ...shared, log });
  const status = statusObserver(server, sinkNamesOf(shared.config), { clock, source, failures: shared.failures });
  const deps: RunDeps = {
    ...shared,
    server: name,
    source,
    sinks: [metricsSink(name, labelOf, shared.incrementHold), ...otlpSinks.sinksOf(server)],
    series: {
      apply: deltas => metrics.stored.apply(deltas),
      initialDeltas: sessions => initialSessionsDeltas(name, sessions, labelOf),
      feedGapDeltas: missed => feedGapDeltas(name, missed),
      deletedDeltas: sessions => shared.incrementHold.hold(deletedDeltas(name, sessions)),
      replacedDeltas: () => replacedDeltas(name),
    },
    schedule: {
      startAfterMs: startAfterMs(server.pollIntervalMs, among, random),
      idleMs: server.pollIntervalMs,
      openMs: server.openPollIntervalMs,
      reconcileMs: server.reconcileIntervalMs,
    },
    beginAt: (sink, now) => (sink === 'metrics' ? now : historyStart(history, now)),
    grace: milliseconds(abandonAfterMs),
    observer: together([
      metricsObserver(name, metrics, { clock, connection: source, labelOf }),
      logObserver(log, clock),
      status,
      otlpSinks.ownTelemetry?.observer(name) ?? {},
    ]),
  };
  installations.add(name);
  return {
    status,
    run: async stopping => runServer(deps, stopping),
    loginRefused: () => source.loginRefused(),
    close: async () => {
      installations.remove(name);
      await source.close();
    },
  };
}

/**
 * How long a server waits before its first poll, in ms, so that the polls of many servers do not coincide: 0 for a
 * single server, else a random time within 100 ms for each, or within the interval if that is shorter.
 */
export const startAfterMs = (pollIntervalMs: number, servers: number, random: Random): number =>
  servers === 1 ? 0 : random() * Math.min(pollIntervalMs, servers * 100);
