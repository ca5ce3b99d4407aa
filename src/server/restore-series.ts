import type { Config } from '../config/parse.js';
import type { Log } from '../kernel/log.js';
import { initialServerDeltas } from '../metrics/deltas.js';
import { type OrganizationLabel, organizationLabels, organizationsIn, unlimited } from '../metrics/organizations.js';
import type { Metrics } from '../metrics/registry.js';
import { sinkNamesOf } from '../otlp/sinks.js';
import type { Series, SeriesDelta, Store } from '../pipeline/ports.js';
import { seriesKey } from '../pipeline/series.js';

/** The served series of servers. */
export type ServerSeries = Readonly<{
  /** Which label value an organization of this server has. */
  labelOf: (server: string) => OrganizationLabel;
  /**
   * Creates the initial series of servers, in one commit, because each commit waits for the disk.
   * @throws {ExporterError} `store`.
   */
  registerServers: (servers: readonly string[]) => Promise<void>;
  /**
   * Serves what is stored of servers, instead of what was served of them before, and creates their initial series.
   * @throws {ExporterError} `store`.
   */
  load: (servers: readonly string[]) => Promise<void>;
}>;

type Parts = Readonly<{
  metrics: Metrics;
  log: Pick<Log, 'warn'>;
  /** The number of the lease of a server, for a state that replicas share. */
  leaseOf?: (server: string) => string;
  /** Runs an action while nothing else is about to change series. */
  pause?: (action: () => void) => Promise<void>;
}>;

/** Serves the stored series of all servers again. @throws {ExporterError} `store`. */
export async function restoreSeries(
  config: Config,
  store: Pick<Store, 'series' | 'commit'>,
  parts: Parts,
): Promise<ServerSeries> {
  const stored = await store.series();
  serve(stored, parts);
  return createServerSeries(config, store, parts, stored);
}

/** The series of servers, of which none is served yet but those in `stored`. */
export function createServerSeries(
  config: Config,
  store: Pick<Store, 'series' | 'commit'>,
  parts: Parts,
  stored: readonly Series[] = [],
): ServerSeries {
  const { metrics, leaseOf, pause = async action => action() } = parts;
  const labels = new Map<string, OrganizationLabel>();
  const register = async (servers: readonly string[], known: Known): Promise<readonly SeriesDelta[]> => {
    const initial = servers.flatMap(server => initialServerDeltas(server, sinkNamesOf(config)));
    const deltas = initial.filter(delta => !known.keys.has(seriesKey(delta)));
    if (deltas.length > 0) await store.commit({ server: servers[0] ?? '', deltas });
    for (const server of servers)
      labels.set(server, organizationLabels(known.organizations.get(server) ?? [], config.metrics.maxOrganizations));
    return initial;
  };
  const fromStart = knownIn(stored);
  return {
    labelOf: server => labels.get(server) ?? unlimited,
    registerServers: async servers => {
      for (const server of servers) metrics.begin(server);
      const added = servers.filter(server => !labels.has(server));
      metrics.stored.apply(await register(added, fromStart));
    },
    load: async servers => {
      const found = await store.series(servers);
      const initial = await register(servers, knownIn(found));
      await pause(() => {
        for (const server of servers) metrics.forget(server, leaseOf?.(server));
        serve(found, parts);
        metrics.stored.apply(initial);
        for (const server of servers) metrics.begin(server);
      });
    },
  };
}

type Known = Readonly<{ keys: ReadonlySet<string>; organizations: ReturnType<typeof organizationsIn> }>;

const knownIn = (series: readonly Series[]): Known => ({
  keys: new Set(series.map(seriesKey)),
  organizations: organizationsIn(series),
});

function serve(stored: readonly Series[], { metrics, log }: Parts): void {
  for (const { family, series } of metrics.stored.restore(stored))
    log.warn("Ignoring stored series: the metric's definition has changed", { family, series });
}
