import type { Clock } from '../kernel/clock.js';
import type { ExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import { toSeconds } from '../model/time.js';
import type { ServerObserver } from './run.js';
import type { InstanceInfo } from '../pipeline/ports.js';
import { cursorTime, sinkBacklog } from '../metrics/delivery-families.js';
import { type OrganizationLabel, unlimited } from '../metrics/organizations.js';
import { oldestOpenSessionStart, restoreSessionsOpen } from '../metrics/restore-families.js';
import {
  certificateExpiry,
  changeFeedActive,
  clockSkew,
  lastSuccessfulPoll,
  pollDuration,
  pollErrors,
  polls,
  serverInfo,
  serverUp,
  tokenExpiry,
} from '../metrics/server-families.js';
import type { Metrics } from '../metrics/registry.js';

/** What a source can tell of its connection, beside what it reads. */
export type ConnectionHealth = Readonly<{
  /** Epoch ms by our clock; undefined while there is no token. */
  tokenExpiresAtMs(): number | undefined;
  /** Epoch ms; undefined until a certificate was shown. */
  certificateExpiresAtMs(): number | undefined;
  /** Undefined until the server has told its time. */
  clockSkewSeconds(): number | undefined;
  /** The version that is spoken; undefined until it is known. */
  apiVersion(): string | undefined;
}>;

/** State gauges are dropped after so many turns without a complete one: what nobody has seen lately goes stale. */
const staleAfter = 5;

export type MetricsObserverDeps = Readonly<{ clock: Clock; connection: ConnectionHealth; labelOf?: OrganizationLabel }>;

/** Keeps the metrics about a server and its sinks: whether it answers, how far behind we are, what is open. */
export function metricsObserver(server: string, metrics: Metrics, deps: MetricsObserverDeps): ServerObserver {
  const { labelOf = unlimited } = deps;
  const nowSeconds = (): number => deps.clock.now() / 1000;
  const pairs = new Map<string, Pair>();
  let incomplete = 0;
  let instance: InstanceInfo | undefined;
  const show = (told: InstanceInfo): void => {
    instance = told;
    const labels = { version: told.version, api_version: told.apiVersion, installation_id: told.installationId };
    metrics.replace(serverInfo, server, [{ labels, value: 1 }]);
  };
  const counted = new WeakSet<ExporterError>();
  const countError = (error: ExporterError): void => {
    metrics.inc(pollErrors, { server, reason: error.reason });
    counted.add(error);
  };
  return {
    installationChanged: () => undefined,
    met: show,
    discovered: ({ result, error, seconds }, open) => {
      metrics.inc(polls, { server, result });
      metrics.observe(pollDuration, { server }, seconds);
      metrics.set(serverUp, { server }, error === undefined || error.reason === 'store' ? 1 : 0);
      showConnection(server, metrics, deps.connection);
      // The version may be another one since the server told of itself.
      const apiVersion = deps.connection.apiVersion();
      if (instance !== undefined && apiVersion !== undefined && apiVersion !== instance.apiVersion)
        show({ ...instance, apiVersion });
      incomplete = result === 'complete' ? 0 : incomplete + 1;
      // Each turn counts, also with the same error: a refused login answers it until it tries again.
      if (error !== undefined) countError(error);
      if (incomplete >= staleAfter) dropOpen(server, metrics);
      if (result !== 'complete') return;
      metrics.set(lastSuccessfulPoll, { server }, nowSeconds());
      showOpen(server, metrics, { open, pairs, labelOf });
    },
    feed: ({ active, error }) => {
      metrics.set(changeFeedActive, { server }, active ? 1 : 0);
      // It goes on telling of its last failure, which may be that of a turn.
      if (error !== undefined && !counted.has(error)) countError(error);
    },
    delivered: (sink, { errors, undelivered = [], due }) => {
      metrics.set(sinkBacklog, { server, sink }, due);
      for (const error of errors) {
        if (!undelivered.includes(error)) metrics.inc(pollErrors, { server, reason: error.reason });
      }
      if (due === 0 && errors.length === 0) metrics.set(cursorTime, { server, sink }, nowSeconds());
    },
  };
}

/** What is not known, or not there any more, has no series. */
function showConnection(server: string, metrics: Metrics, connection: ConnectionHealth): void {
  metrics.replace(clockSkew, server, rowsOf(connection.clockSkewSeconds()));
  metrics.replace(tokenExpiry, server, rowsOf(secondsOf(connection.tokenExpiresAtMs())));
  metrics.replace(certificateExpiry, server, rowsOf(secondsOf(connection.certificateExpiresAtMs())));
}

const secondsOf = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);
const rowsOf = (value: number | undefined) => (value === undefined ? [] : [{ labels: {}, value }]);

type Pair = Readonly<{ organization: string; workload: string }>;

type Open = Readonly<{
  open: readonly Session[];
  /** Every pair that was ever open, by a key of its own; those of `open` are added. */
  pairs: Map<string, Pair>;
  labelOf: OrganizationLabel;
}>;

/** A pair that was open once stays, at 0: a gauge that vanishes cannot be told from one that nobody scrapes. */
function showOpen(server: string, metrics: Metrics, { open, pairs, labelOf }: Open): void {
  const counts = new Map<string, number>();
  for (const { organization, workload } of open) {
    const pair: Pair = { organization: labelOf(organization), workload: workload.label };
    const key = JSON.stringify(pair);
    pairs.set(key, pair);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const rows = [...pairs].map(([key, labels]) => ({ labels, value: counts.get(key) ?? 0 }));
  metrics.replace(restoreSessionsOpen, server, rows);
  const oldest = open.map(({ createdAt }) => toSeconds(createdAt)).sort((a, b) => a - b)[0];
  metrics.replace(oldestOpenSessionStart, server, oldest === undefined ? [] : [{ labels: {}, value: oldest }]);
}

function dropOpen(server: string, metrics: Metrics): void {
  metrics.replace(restoreSessionsOpen, server, []);
  metrics.replace(oldestOpenSessionStart, server, []);
}
