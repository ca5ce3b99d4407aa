import type { PostgresqlConfig } from '../config/postgresql.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { IncrementHold } from '../metrics/increment-hold.js';
import {
  leaseAcquired,
  leaseMoved,
  leaseRefusals,
  leaseRenewed,
  leaseReplicas,
  leaseUnheld,
} from '../metrics/lease-families.js';
import type { Metrics } from '../metrics/registry.js';
import { leaseMoves } from '../model/labels.js';
import type { Store } from '../pipeline/ports.js';
import { type Leases, renewalsPerLease } from '../store/postgresql/leases.js';
import type { PostgresqlStore } from '../store/postgresql/store.js';
import type { Installations } from './installation.js';
import { LeasedServers } from './leased-servers.js';
import type { ServerSeries } from './restore-series.js';
import type { ServerSpec, Supervisor } from './supervisor.js';

type OpenDeps = Readonly<{
  /** Of this machine; a replica has a name for each start. */
  hostName: string;
  metrics: Metrics;
  failed: (operation: keyof Store) => void;
  clock: Clock;
  random: Random;
  log: Log;
}>;

/** Opens the state in PostgreSQL. The driver is loaded only here. @throws {ExporterError} `store`. */
export async function openPostgresqlStore(
  config: PostgresqlConfig,
  { hostName, metrics, failed, clock, random, log }: OpenDeps,
): Promise<PostgresqlStore> {
  const { openPool } = await import('../store/postgresql/connect.js');
  const { postgresqlStore } = await import('../store/postgresql/store.js');
  metrics.inc(leaseRefusals, {}, 0);
  for (const change of leaseMoves) metrics.inc(leaseMoved, { change }, 0);
  return postgresqlStore(await openPool(config), {
    replica: `${hostName}-${Math.floor(random() * 2 ** 32).toString(16)}`,
    leaseMs: config.leaseMs,
    clock,
    notice: (message, fields) => log.info(message, fields),
    failed,
    fenced: () => metrics.inc(leaseRefusals, {}),
  });
}

type ReplicaDeps = Readonly<{
  leases: Leases;
  leaseMs: number;
  supervisor: Supervisor;
  serverSeries: ServerSeries;
  incrementHold: IncrementHold;
  installations: Installations;
  metrics: Metrics;
  clock: Clock;
  random: Random;
  log: Log;
}>;

/** The servers that this replica runs, and what it serves of them. */
export function leasedServers(deps: ReplicaDeps): LeasedServers {
  const { leases, leaseMs, supervisor, serverSeries, incrementHold, installations, metrics, clock, random, log } = deps;
  return new LeasedServers({
    leases,
    renewMs: leaseMs / renewalsPerLease,
    supervisor,
    configured: servers => installations.configure(servers),
    load: async servers => {
      await serverSeries.load(servers);
      for (const server of servers) metrics.set(leaseAcquired, { server }, clock.now() / 1000);
    },
    unload: async servers =>
      incrementHold.pause(() => {
        for (const server of servers) metrics.forget(server);
      }),
    renewed: ({ free, others }, servers) => {
      metrics.set(leaseRenewed, {}, clock.now() / 1000);
      metrics.set(leaseReplicas, {}, others.length + 1);
      const unheld = new Set(free);
      for (const server of servers)
        metrics.replace(leaseUnheld, server, unheld.has(server) ? [{ labels: {}, value: 1 }] : []);
    },
    moved: (change, servers) => metrics.inc(leaseMoved, { change }, servers),
    clock,
    random,
    log,
  });
}

/** All servers of the configuration, for one process that shares its state with nobody. */
export const allServers = (supervisor: Supervisor) => ({
  start: async (specs: readonly ServerSpec[]): Promise<void> => void (await supervisor.apply(specs)),
  apply: async (specs: readonly ServerSpec[]) => supervisor.apply(specs),
  beforePage: async (): Promise<void> => undefined,
  stop: async (drainMs: number) => supervisor.stop(drainMs),
  leave: async (): Promise<void> => undefined,
});
