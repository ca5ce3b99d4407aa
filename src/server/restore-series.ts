import type { Config } from '../config/parse.js';
import type { Log } from '../kernel/log.js';
import { initialServerDeltas } from '../metrics/deltas.js';
import { type OrganizationLabel, organizationLabels, organizationsIn, unlimited } from '../metrics/organizations.js';
import type { Metrics } from '../metrics/registry.js';
import { sinkNamesOf } from '../otlp/sinks.js';
import type { Store } from '../pipeline/ports.js';
import { seriesKey } from '../pipeline/series.js';

/** The series of all servers that the store knows or that were registered. */
export type ServerSeries = Readonly<{
  /** Which label value an organization of this server has. */
  labelOf: (server: string) => OrganizationLabel;
  /**
   * Creates the initial series of servers, in one commit, because each commit waits for the disk.
   * @throws {ExporterError} `store`.
   */
  registerServers: (servers: readonly string[]) => Promise<void>;
}>;

/** Serves the stored series again. @throws {ExporterError} `store`. */
export async function restoreSeries(
  config: Config,
  store: Pick<Store, 'series' | 'commit'>,
  { metrics, log }: Readonly<{ metrics: Metrics; log: Pick<Log, 'warn'> }>,
): Promise<ServerSeries> {
  const stored = await store.series();
  for (const { family, series } of metrics.stored.restore(stored))
    log.warn("Ignoring stored series: the metric's definition has changed", { family, series });
  const storedKeys = new Set(stored.map(seriesKey));
  const organizations = organizationsIn(stored);
  const labels = new Map<string, OrganizationLabel>();
  return {
    labelOf: server => labels.get(server) ?? unlimited,
    registerServers: async servers => {
      for (const server of servers) metrics.begin(server);
      const added = servers.filter(server => !labels.has(server));
      const initial = added.flatMap(server => initialServerDeltas(server, sinkNamesOf(config)));
      const deltas = initial.filter(delta => !storedKeys.has(seriesKey(delta)));
      if (deltas.length > 0) await store.commit({ server: added[0] ?? '', deltas });
      metrics.stored.apply(initial);
      for (const server of added)
        labels.set(server, organizationLabels(organizations.get(server) ?? [], config.metrics.maxOrganizations));
    },
  };
}
