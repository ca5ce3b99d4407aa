import type { Config } from '../config/parse.js';
import type { Log } from '../kernel/log.js';
import { sinkNamesOf } from '../otlp/sinks.js';
import type { Store } from '../pipeline/ports.js';
import type { Metrics } from '../metrics/registry.js';
import { seriesKey } from '../pipeline/series.js';
import { initialServerDeltas } from '../metrics/deltas.js';
import { type OrganizationLabel, organizationLabels, organizationsIn, unlimited } from '../metrics/organizations.js';

/** Knows the servers that have been, or are. */
export type ServerSeries = Readonly<{
  /** Who of its organizations has a label value. */
  labelOf: (server: string) => OrganizationLabel;
  /**
   * Brings the closed series of servers into being, once, in one commit: each waits for the disk, and /metrics for all.
   * @throws {ExporterError} `store`.
   */
  registerServers: (servers: readonly string[]) => Promise<void>;
}>;

/** Serves again what was counted before. @throws {ExporterError} `store`. */
export async function restoreSeries(
  config: Config,
  store: Pick<Store, 'series' | 'commit'>,
  { metrics, log }: Readonly<{ metrics: Metrics; log: Pick<Log, 'warn'> }>,
): Promise<ServerSeries> {
  const stored = await store.series();
  for (const { family, series } of metrics.stored.restore(stored))
    log.warn('Left stored series out, their metric has changed', { family, series });
  const born = new Set(stored.map(seriesKey));
  const known = organizationsIn(stored);
  const labels = new Map<string, OrganizationLabel>();
  return {
    labelOf: server => labels.get(server) ?? unlimited,
    registerServers: async servers => {
      for (const server of servers) metrics.begin(server);
      const fresh = servers.filter(server => !labels.has(server));
      const births = fresh.flatMap(server => initialServerDeltas(server, sinkNamesOf(config)));
      const deltas = births.filter(delta => !born.has(seriesKey(delta)));
      if (deltas.length > 0) await store.commit({ server: fresh[0] ?? '', deltas });
      metrics.stored.apply(births);
      for (const server of fresh)
        labels.set(server, organizationLabels(known.get(server) ?? [], config.metrics.maxOrganizations));
    },
  };
}
