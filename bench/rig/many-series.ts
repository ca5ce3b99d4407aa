import { eventStatus, eventType } from '../../src/model/event.js';
import { workload } from '../../src/model/session.js';
import { milliseconds } from '../../src/model/time.js';
import { type Batch, type SeriesDelta, sinkNames } from '../../src/pipeline/ports.js';
import { metricsSink } from '../../src/metrics/metrics-sink.js';
import type { Metrics } from '../../src/metrics/registry.js';
import { initialServerDeltas, initialSessionDeltas } from '../../src/metrics/deltas.js';
import { restoreSessionsOpen } from '../../src/metrics/restore-families.js';
import { cursorTime, sinkBacklog } from '../../src/metrics/delivery-families.js';
import {
  apiRequestDuration,
  apiRequests,
  certificateExpiry,
  changeFeedActive,
  clockSkew,
  lastSuccessfulPoll,
  pollDuration,
  polls,
  serverInfo,
  serverUp,
  tlsVerificationEnabled,
  tokenExpiry,
} from '../../src/metrics/server-families.js';
import { pageOf } from '../../test/support/exposition.js';
import { batch, guid, session, taken } from '../../test/support/restore.js';
import { metricsOf } from '../../test/support/metrics.js';

export const serverName = (n: number): string => `server-${String(n)}`;

/** How many organizations a server has; each restores from all workloads. */
const organizations = 20;
const workloads = ['Vex', 'Veod', 'Vesp', 'Vet'];
const statuses = ['Success', 'Success', 'Success', 'Warning', 'Failed'];

const sessionOf = (n: number) =>
  session({
    id: guid(n),
    organization: `tenant-${String(Math.floor(n / workloads.length) % organizations)}.onmicrosoft.com`,
    workload: workload(workloads[n % workloads.length] ?? ''),
  });

/** Events as a busy server has them: of all its organizations, workloads and statuses. */
export function manyEvents(from: number, count: number, nowMs: number): Batch {
  const events = Array.from({ length: count }, (_, i) => {
    const n = from + i;
    const endedAt = milliseconds(nowMs);
    const duration = milliseconds(1 + ((n * 37) % 5_000));
    const status = eventStatus(statuses[n % statuses.length] ?? '');
    return taken(
      { id: guid(n), type: eventType('Restore'), status, startedAt: endedAt - duration, endedAt, duration },
      sessionOf(n),
    );
  });
  return batch({ events, at: milliseconds(nowMs) });
}

/** The metrics of an exporter that has worked for so many servers: stored and live ones, of all types. */
export async function busyMetrics(servers: number, nowMs: number): Promise<Metrics> {
  const names = Array.from({ length: servers }, (_, n) => serverName(n));
  const metrics = metricsOf(names);
  for (const server of names) {
    metrics.stored.apply(initialServerDeltas(server, ['metrics', 'logs']));
    for (let n = 0; n < organizations * workloads.length; n += 1)
      metrics.stored.apply(initialSessionDeltas(server, sessionOf(n)));
    // oxlint-disable-next-line no-await-in-loop -- in memory
    metrics.stored.apply(await deltasOf(server, manyEvents(0, 2_000, nowMs)));
    workOn(metrics, server);
  }
  return metrics;
}

/** The metrics of an exporter with so many idle v8 servers, all sinks on: what a first poll leaves, and no event. */
export function idleMetrics(servers: number): Metrics {
  const names = Array.from({ length: servers }, (_, n) => serverName(n));
  const metrics = metricsOf(names);
  for (const server of names) {
    metrics.stored.apply(initialServerDeltas(server));
    metrics.inc(polls, { server, result: 'complete' });
    metrics.observe(pollDuration, { server }, 0.07);
    for (const operation of ['token', 'probe', 'sessions', 'feed'] as const)
      metrics.inc(apiRequests, { server, operation, code: '2xx' });
    metrics.observe(apiRequestDuration, { server, operation: 'sessions' }, 0.03);
    for (const gauge of serverGauges) metrics.set(gauge, { server }, 1);
    const labels = { version: '8.1.0.305', api_version: 'v8', installation_id: guid(1) };
    metrics.replace(serverInfo, server, [{ labels, value: 1 }]);
    for (const sink of sinkNames)
      for (const gauge of [cursorTime, sinkBacklog]) metrics.set(gauge, { server, sink }, 1);
  }
  return metrics;
}

const serverGauges = [
  serverUp,
  changeFeedActive,
  lastSuccessfulPoll,
  tokenExpiry,
  certificateExpiry,
  clockSkew,
  tlsVerificationEnabled,
];

/** What a batch changes, by the sink itself. */
export async function deltasOf(server: string, events: Batch): Promise<readonly SeriesDelta[]> {
  return (await metricsSink(server).deliver(events, new AbortController().signal)).deltas;
}

/** Updates the live metrics as a poll does. */
export function workOn(metrics: Metrics, server: string): void {
  metrics.inc(polls, { server, result: 'complete' });
  metrics.observe(pollDuration, { server }, 0.07);
  metrics.inc(apiRequests, { server, operation: 'events', code: '2xx' });
  metrics.observe(apiRequestDuration, { server, operation: 'events' }, 0.03);
  metrics.set(serverUp, { server }, 1);
  const rows = Array.from({ length: organizations }, (_, n) => ({
    labels: { organization: `tenant-${String(n)}.onmicrosoft.com`, workload: 'exchange' },
    value: n,
  }));
  metrics.replace(restoreSessionsOpen, server, rows);
}

/** Every line of a page that is a sample. */
export const samplesIn = (page: string): readonly string[] =>
  page.split('\n').filter(line => line !== '' && !line.startsWith('#'));

/** How many servers make so many series, or just more. */
export async function serversFor(series: number, nowMs: number): Promise<number> {
  const [one = 0, two = 0] = await Promise.all(
    [1, 2].map(async servers => samplesIn(await pageOf(await busyMetrics(servers, nowMs))).length),
  );
  return 1 + Math.ceil((series - one) / (two - one));
}
