import type { Clock } from '../kernel/clock.js';
import type { ExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import { toSeconds } from '../model/time.js';
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
import type { ServerObserver } from './observer.js';

/** What a source knows of its connection. */
export type ConnectionHealth = Readonly<{
  /** Epoch ms by the exporter's clock; undefined while there is no token. */
  tokenExpiresAtMs(): number | undefined;
  /** Epoch ms; undefined until the server has shown its certificate. */
  certificateExpiresAtMs(): number | undefined;
  /** Undefined until an answer has had a date. */
  clockSkewSeconds(): number | undefined;
  /** The API version in use; undefined until it is known. */
  apiVersion(): string | undefined;
}>;

/** Gauges of open sessions are dropped after this many polls in a row that were not complete: they are stale. */
const staleAfter = 5;

export type MetricsObserverDeps = Readonly<{ clock: Clock; connection: ConnectionHealth; labelOf?: OrganizationLabel }>;

/** Updates the metrics of one server and its sinks: whether it answers, the backlog, and what is open. */
export function metricsObserver(server: string, metrics: Metrics, deps: MetricsObserverDeps): ServerObserver {
  const { clock, connection, labelOf = unlimited } = deps;
  const nowSeconds = (): number => clock.now() / 1000;
  const pairs = new Map<string, OrganizationWorkload>();
  let incomplete = 0;
  const counted = new WeakSet<ExporterError>();
  const countError = (error: ExporterError): void => {
    metrics.inc(pollErrors, { server, reason: error.reason });
    counted.add(error);
  };
  return {
    installationChanged: () => undefined,
    identified: ({ version, apiVersion, installationId }) => {
      // The API version may have changed since the server was asked.
      const labels = { version, api_version: connection.apiVersion() ?? apiVersion, installation_id: installationId };
      metrics.replace(serverInfo, server, [{ labels, value: 1 }]);
    },
    discovered: ({ result, error, seconds }, open) => {
      metrics.inc(polls, { server, result });
      metrics.observe(pollDuration, { server }, seconds);
      metrics.set(serverUp, { server }, error === undefined || error.reason === 'store' ? 1 : 0);
      showConnection(server, metrics, connection);
      incomplete = result === 'complete' ? 0 : incomplete + 1;
      // Each poll counts, even with the same error: a refused login returns it until the next attempt.
      if (error !== undefined) countError(error);
      if (incomplete >= staleAfter) dropOpen(server, metrics);
      if (result !== 'complete') return;
      metrics.set(lastSuccessfulPoll, { server }, nowSeconds());
      showOpen(server, metrics, { open, pairs, labelOf });
    },
    feed: ({ active, error }) => {
      metrics.set(changeFeedActive, { server }, active ? 1 : 0);
      // The feed repeats its last failure, which may be that of a poll.
      if (error !== undefined && !counted.has(error)) countError(error);
    },
    delivered: (sink, { errors, undelivered, due }) => {
      metrics.set(sinkBacklog, { server, sink }, due);
      for (const error of errors) {
        if (!undelivered.includes(error)) metrics.inc(pollErrors, { server, reason: error.reason });
      }
      if (due === 0 && errors.length === 0) metrics.set(cursorTime, { server, sink }, nowSeconds());
    },
  };
}

/** An unknown value has no series. */
function showConnection(server: string, metrics: Metrics, connection: ConnectionHealth): void {
  metrics.replace(clockSkew, server, rowsOf(connection.clockSkewSeconds()));
  metrics.replace(tokenExpiry, server, rowsOf(secondsOf(connection.tokenExpiresAtMs())));
  metrics.replace(certificateExpiry, server, rowsOf(secondsOf(connection.certificateExpiresAtMs())));
}

const secondsOf = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : ms / 1000);
const rowsOf = (value: number | undefined) => (value === undefined ? [] : [{ labels: {}, value }]);

type OrganizationWorkload = Readonly<{ organization: string; workload: string }>;

type OpenSessions = Readonly<{
  open: readonly Session[];
  /** Every pair that was ever open, by its JSON; those of `open` are added. */
  pairs: Map<string, OrganizationWorkload>;
  labelOf: OrganizationLabel;
}>;

/** A pair that was open stays, at 0: a missing gauge looks like a failed scrape. */
function showOpen(server: string, metrics: Metrics, { open, pairs, labelOf }: OpenSessions): void {
  const counts = new Map<string, number>();
  for (const { organization, workload } of open) {
    const pair: OrganizationWorkload = { organization: labelOf(organization), workload: workload.label };
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
