import type { Clock } from '../kernel/clock.js';
import type { ExporterError } from '../kernel/errors.js';
import type { Session } from '../model/session.js';
import { toSeconds } from '../model/time.js';
import { cursorTime, deliveryErrors, sinkBacklog } from '../metrics/delivery-families.js';
import { type OrganizationLabel, unlimited } from '../metrics/organizations.js';
import { oldestOpenSessionStart, restoreSessionsOpen } from '../metrics/restore-families.js';
import * as family from '../metrics/server-families.js';
import type { Metrics } from '../metrics/registry.js';
import { type DeliveryErrorReason, deliveryErrorReasons } from '../model/labels.js';
import type { RestSource } from '../source/rest.js';
import type { ServerObserver } from './observer.js';

/** What a source knows of its connection. */
export type ConnectionHealth = Pick<
  RestSource,
  'tokenExpiresAtMs' | 'certificateExpiresAtMs' | 'clockSkewSeconds' | 'apiVersion'
>;

/** Gauges of open sessions are dropped after this many polls in a row that were not complete: they are stale. */
const staleAfter = 5;

type MetricsObserverDeps = Readonly<{ clock: Clock; connection: ConnectionHealth; labelOf?: OrganizationLabel }>;

/** Updates the metrics of one server and its sinks: whether it answers, the backlog, and what is open. */
export function metricsObserver(
  server: string,
  metrics: Metrics,
  { clock, connection, labelOf = unlimited }: MetricsObserverDeps,
): Omit<ServerObserver, 'installationChanged'> {
  const showOpen = openSessionGauges(server, metrics, labelOf);
  let incomplete = 0;
  const counted = new WeakSet<ExporterError>();
  const countError = (error: ExporterError): void => {
    metrics.inc(family.pollErrors, { server, reason: error.reason });
    counted.add(error);
  };
  return {
    identified: ({ version, apiVersion, installationId }) => {
      // The API version may have changed since the server was asked.
      const labels = { version, api_version: connection.apiVersion() ?? apiVersion, installation_id: installationId };
      metrics.replace(family.serverInfo, server, [{ labels, value: 1 }]);
    },
    discovered: ({ result, error, seconds }, open) => {
      metrics.inc(family.polls, { server, result });
      metrics.observe(family.pollDuration, { server }, seconds);
      metrics.set(family.serverUp, { server }, error === undefined || error.reason === 'store' ? 1 : 0);
      metrics.replace(family.clockSkew, server, rowsOf(connection.clockSkewSeconds()));
      metrics.replace(family.tokenExpiry, server, rowsOf(connection.tokenExpiresAtMs(), 1000));
      metrics.replace(family.certificateExpiry, server, rowsOf(connection.certificateExpiresAtMs(), 1000));
      incomplete = result === 'complete' ? 0 : incomplete + 1;
      // Each poll counts, even with the same error: a refused login returns it until the next attempt.
      if (error !== undefined) countError(error);
      if (incomplete >= staleAfter) showOpen(undefined);
      if (result !== 'complete') return;
      metrics.set(family.lastSuccessfulPoll, { server }, clock.now() / 1000);
      showOpen(open);
    },
    feed: ({ active, error }) => {
      metrics.set(family.changeFeedActive, { server }, active ? 1 : 0);
      // The feed repeats its last failure, which may be that of a poll.
      if (error !== undefined && !counted.has(error)) countError(error);
    },
    delivered: (sink, { errors, undelivered, due }) => {
      metrics.set(sinkBacklog, { server, sink }, due);
      for (const error of errors) {
        const reason = deliveryReason(error);
        if (!undelivered.includes(error)) metrics.inc(family.pollErrors, { server, reason: error.reason });
        else if (reason !== undefined) metrics.inc(deliveryErrors, { server, sink, reason });
      }
      if (due === 0 && errors.length === 0) metrics.set(cursorTime, { server, sink }, clock.now() / 1000);
    },
  };
}

/** Undefined for a delivery that was aborted because the program stops. */
const deliveryReason = ({ reason }: ExporterError): DeliveryErrorReason | undefined =>
  reason === 'aborted' ? undefined : (deliveryErrorReasons.find(known => known === reason) ?? 'bug');

/** An unknown value has no series. */
const rowsOf = (value: number | undefined, divisor = 1) =>
  value === undefined ? [] : [{ labels: {}, value: value / divisor }];

/** Undefined drops the gauges. A pair that was open stays, at 0: a missing gauge looks like a failed scrape. */
function openSessionGauges(server: string, metrics: Metrics, labelOf: OrganizationLabel) {
  const pairOf = ({ organization, workload }: Session) => ({
    organization: labelOf(organization),
    workload: workload.label,
  });
  const pairs = new Map<string, ReturnType<typeof pairOf>>();
  return (open: readonly Session[] | undefined): void => {
    const byPair = Map.groupBy(open ?? [], session => JSON.stringify(pairOf(session)));
    for (const pair of (open ?? []).map(pairOf)) pairs.set(JSON.stringify(pair), pair);
    const rows = [...pairs].map(([key, labels]) => ({ labels, value: byPair.get(key)?.length ?? 0 }));
    metrics.replace(restoreSessionsOpen, server, open === undefined ? [] : rows);
    const [oldest] = (open ?? []).map(({ createdAt }) => toSeconds(createdAt)).sort((a, b) => a - b);
    metrics.replace(oldestOpenSessionStart, server, rowsOf(oldest));
  };
}
