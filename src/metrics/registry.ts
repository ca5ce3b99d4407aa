import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { seconds } from '../model/time.js';
import { families, storedFamilies } from './catalogue.js';
import { buildInfo } from './delivery-families.js';
import { observations, observe, DeltaBuilder } from './delta-builder.js';
import { initialDeltas } from './deltas.js';
import { boundText, exposition, type Format, labelText, sampleLine, type ServedFamily } from './exposition.js';
import type { Counter, Family, Gauge, Histogram, LabelsOf } from './family.js';
import { GaugeTable } from './gauge-table.js';
import { SeriesTable } from './series-table.js';

/** One series of a gauge whose series are replaced together. */
type GaugeRow<F extends Family> = Readonly<{ labels: Omit<LabelsOf<F>, 'server'>; value: number }>;

/** A family that lives in this process only. */
type Live = Readonly<{ stored?: never }>;

/** Everything that /metrics serves, and the only way to change it. A label that a family lacks is a type error. */
export interface Metrics {
  readonly stored: SeriesTable;
  /** A page. `page`: its number, by which `stored` knows which series it shows. */
  exposition(format: Format): Promise<Readonly<{ body: Buffer; page: number }>>;
  inc<F extends Counter & Live>(family: F, labels: LabelsOf<F>, by?: number): void;
  observe<F extends Histogram & Live>(family: F, labels: LabelsOf<F>, value: number): void;
  set<F extends Gauge & Live>(family: F, labels: LabelsOf<F>, value: number): void;
  /** Replaces all series of a server. */
  replace<F extends Gauge & Live>(family: F, server: string, rows: readonly GaugeRow<F>[]): void;
  /** Creates the closed series of a server at 0; does not change those that exist. */
  begin(server: string): void;
  /** Drops every gauge of a server, except stored ones. Counters stay: one that came back would read as a reset. */
  drop(server: string): void;
  /** Drops what may have changed since this process read a server that another one may read now. */
  dropCurrent(server: string): void;
  /**
   * Removes every series of a server: another replica serves them.
   * @param lease a label of the counters that the server gets from now on. Without it, `increase()` would count again what
   * another replica has counted in between.
   */
  forget(server: string, lease?: string): void;
}

export type MetricsOptions = Readonly<{
  version: string;
  /** Whether `organization` is served; without it, series that differ in nothing else are served as their sum. */
  organizationLabel?: boolean;
}>;

export function createMetrics({ version, organizationLabel = true }: MetricsOptions): Metrics {
  const hidden = organizationLabel ? undefined : 'organization';
  const stored = new SeriesTable(storedFamilies, hidden);
  const inProcess = families.filter(family => family.stored !== true);
  const counted = inProcess.filter(({ type }) => type !== 'gauge');
  const live = new SeriesTable(counted, hidden);
  const gaugeFamilies = inProcess.filter(({ type }) => type === 'gauge');
  const gauges = new Map(gaugeFamilies.map(family => [family.name, new GaugeTable(family, hidden)]));
  const ofProcess = processMetrics();
  live.apply(initialDeltas(counted, { server: [] }));
  gauges.get(buildInfo.name)?.set({ version }, 1);
  return {
    stored,
    exposition: async format => {
      const process = await ofProcess();
      // No wait from here on: the page shows exactly the series that existed when it got its number.
      const page = stored.turnPage();
      const served = [...gauges.values()].map(gauge => gauge.served);
      const all = [...process, ...served, ...live.families, ...stored.families].toSorted(byName);
      return { body: exposition(all, format), page };
    },
    inc: (family, labels, by = 1) => live.apply(new DeltaBuilder().count(family, labels, by).deltas()),
    observe: (family, labels, value) => {
      const observed = observations(family);
      observe(observed, seconds(value));
      live.apply(new DeltaBuilder().observed(family, labels, observed).deltas());
    },
    set: ({ name }, labels, value) => gauges.get(name)?.set(labels, value),
    replace: ({ name }, server, rows) => gauges.get(name)?.replace(server, rows),
    begin: server => live.apply(initialDeltas(counted, { server: [server] })),
    drop: server => {
      for (const gauge of gauges.values()) gauge.replace(server, []);
    },
    dropCurrent: server => {
      for (const { name, lasting } of gaugeFamilies) if (lasting !== true) gauges.get(name)?.replace(server, []);
    },
    forget: (server, lease) => {
      for (const gauge of gauges.values()) gauge.replace(server, []);
      for (const table of [live, stored]) table.forget(server, lease);
    },
  };
}

const byName = (a: ServedFamily, b: ServedFamily): number => (a.name < b.name ? -1 : 1);

/** One metric of the library with its values. */
type LibraryMetric = Awaited<ReturnType<Metric['get']>>;

/** Metrics of the library whose names contain a metric type, which `promtool check metrics` refuses. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
];

/** Collects `process_*` and `nodejs_*` at each call. */
function processMetrics(): () => Promise<readonly ServedFamily[]> {
  const registry = new Registry();
  // The longest interval there is: the utilization is removed below, but its timer would wake the process.
  collectDefaultMetrics({ register: registry, eventLoopUtilizationTimeout: 2 ** 31 - 1 });
  for (const name of misnamed) registry.removeSingleMetric(name);
  return async () => (await registry.getMetricsAsJSON()).map(served);
}

/** Written here, because the library writes one format per registry. */
const served = ({ name, help, type, values }: LibraryMetric): ServedFamily => ({
  name,
  help,
  type,
  write: format => values.map(value => libraryLine(name, value, format)).join(''),
});

function libraryLine(name: string, sample: LibraryMetric['values'][number], format: Format): string {
  const values = Object.entries<string | number | undefined>(sample.labels).map(([label, value]) =>
    label === 'le' && typeof value === 'number' ? boundText(value, format) : String(value),
  );
  const labels = labelText(Object.keys(sample.labels), values);
  return sampleLine('metricName' in sample ? sample.metricName : name, labels, sample.value);
}
