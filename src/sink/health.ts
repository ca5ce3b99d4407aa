import type { Clock } from '../kernel/clock.js';
import type { Session } from '../model/session.js';
import { toSeconds } from '../model/time.js';
import type { Observer } from '../pipeline/line.js';
import { cursorTime, sinkBacklog } from '../telemetry/delivery-families.js';
import { oldestOpenSessionStart, restoreSessionsOpen } from '../telemetry/restore-families.js';
import {
  clockSkew,
  lastSuccessfulPoll,
  pollDuration,
  pollErrors,
  polls,
  serverInfo,
  serverUp,
  tokenExpiry,
} from '../telemetry/server-families.js';
import type { Metrics } from './registry.js';

/** What a source can tell of its connection, beside what it reads. */
export type Connection = Readonly<{
  /** Epoch ms by our clock; undefined while there is no token. */
  tokenExpiresAtMs(): number | undefined;
  clockSkewSeconds(): number;
}>;

/** State gauges are dropped after so many turns without a complete one: what nobody has seen lately goes stale. */
const staleAfter = 5;

/** Keeps the metrics about a server and its sinks: whether it answers, how far behind we are, what is open. */
export function health(server: string, metrics: Metrics, deps: { clock: Clock; connection: Connection }): Observer {
  const nowSeconds = (): number => deps.clock.now() / 1000;
  const pairs = new Map<string, Readonly<{ organization: string; workload: string }>>();
  let incomplete = 0;
  return {
    met: ({ version, apiVersion, installationId }) => {
      const labels = { version, api_version: apiVersion, installation_id: installationId };
      metrics.replace(serverInfo, server, [{ labels, value: 1 }]);
    },
    discovered: ({ result, error, seconds }, open) => {
      metrics.inc(polls, { server, result });
      metrics.observe(pollDuration, { server }, seconds);
      metrics.set(serverUp, { server }, error === undefined ? 1 : 0);
      showConnection(server, metrics, deps.connection);
      incomplete = result === 'complete' ? 0 : incomplete + 1;
      if (error !== undefined) metrics.inc(pollErrors, { server, reason: error.reason });
      if (incomplete >= staleAfter) dropOpen(server, metrics);
      if (result !== 'complete') return;
      metrics.set(lastSuccessfulPoll, { server }, nowSeconds());
      for (const session of open) pairs.set(pairKey(session), pairOf(session));
      showOpen(server, metrics, { open, pairs });
    },
    delivered: (sink, { errors, undelivered = [], due }, backlog) => {
      metrics.set(sinkBacklog, { server, sink }, backlog);
      for (const error of errors) {
        if (!undelivered.includes(error)) metrics.inc(pollErrors, { server, reason: error.reason });
      }
      if (due === 0 && errors.length === 0) metrics.set(cursorTime, { server, sink }, nowSeconds());
    },
  };
}

function showConnection(server: string, metrics: Metrics, connection: Connection): void {
  metrics.set(clockSkew, { server }, connection.clockSkewSeconds());
  const expiresAtMs = connection.tokenExpiresAtMs();
  if (expiresAtMs !== undefined) metrics.set(tokenExpiry, { server }, expiresAtMs / 1000);
}

const pairOf = ({ organization, workload }: Session) => ({ organization, workload: workload.label });
const pairKey = (session: Session): string => JSON.stringify(pairOf(session));

type Open = Readonly<{
  open: readonly Session[];
  pairs: ReadonlyMap<string, Readonly<{ organization: string; workload: string }>>;
}>;

/** A pair that was open once stays, at 0: a gauge that vanishes cannot be told from one that nobody scrapes. */
function showOpen(server: string, metrics: Metrics, { open, pairs }: Open): void {
  const counts = new Map<string, number>();
  for (const session of open) counts.set(pairKey(session), (counts.get(pairKey(session)) ?? 0) + 1);
  const rows = [...pairs].map(([key, labels]) => ({ labels, value: counts.get(key) ?? 0 }));
  metrics.replace(restoreSessionsOpen, server, rows);
  const oldest = open.map(({ createdAt }) => toSeconds(createdAt)).sort((a, b) => a - b)[0];
  metrics.replace(oldestOpenSessionStart, server, oldest === undefined ? [] : [{ labels: {}, value: oldest }]);
}

function dropOpen(server: string, metrics: Metrics): void {
  metrics.replace(restoreSessionsOpen, server, []);
  metrics.replace(oldestOpenSessionStart, server, []);
}
