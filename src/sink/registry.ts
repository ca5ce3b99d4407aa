import { Registry } from 'prom-client';
import { families } from '../telemetry/catalogue.js';
import { buildInfo } from '../telemetry/delivery-families.js';
import {
  closedLabels,
  type Counter,
  type Family,
  type Gauge,
  type Histogram,
  type LabelsOf,
} from '../telemetry/family.js';
import { exposition, type Format, type ServedFamily } from './exposition.js';
import type { GaugeTable } from './gauge-table.js';
import { gaugeInstrument, type Instrument, libraryFamilies, libraryInstrument, observeProcess } from './instruments.js';
import { type SeriesTable, seriesTable } from './series-table.js';

/** One row of a gauge that is replaced whole; its server is named once for all rows. */
export type RowOf<F extends Family> = Readonly<{ labels: Omit<LabelsOf<F>, 'server'>; value: number }>;

/** A family that lives in this process only. */
type Live = Readonly<{ stored: false }>;

/** Everything that /metrics serves, and the only way to change it. A label that a family lacks is a type error. */
export interface Metrics {
  readonly stored: SeriesTable;
  /** All of it, written at once. `page`: the number of this one, by which `stored` knows what is on it. */
  exposition(format: Format): Promise<Readonly<{ text: string; page: number }>>;
  inc<F extends Counter & Live>(family: F, labels: LabelsOf<F>, by?: number): void;
  observe<F extends Histogram & Live>(family: F, labels: LabelsOf<F>, value: number): void;
  set<F extends Gauge & Live>(family: F, labels: LabelsOf<F>, value: number): void;
  /** Puts `rows` in place of all series of a server, in one turn: no scrape sees half. */
  replace<F extends Gauge & Live>(family: F, server: string, rows: readonly RowOf<F>[]): void;
  /** Brings the closed series of a server into being at 0; those that are there stay as they are. */
  begin(server: string): void;
  /** Takes away every gauge of a server, except stored ones. Counters stay: one that vanishes would come back as a reset. */
  drop(server: string): void;
}

export type MetricsOptions = Readonly<{
  version: string;
  /** Whether `organization` is shown; without it, series that differ in nothing else are served as their sum. */
  organizationLabel?: boolean;
}>;

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  const stored = seriesTable(families, options.organizationLabel === false ? organization : undefined);
  const instruments = new Map<string, Instrument>();
  const gauges: ServedFamily[] = [];
  const live = families.filter(row => !row.stored).map(row => shownOf(row, options));
  for (const family of live) {
    const made = family.type === 'gauge' ? gaugeInstrument(family) : libraryInstrument(family, registry);
    if (isGauge(made)) gauges.push(made.served);
    instruments.set(family.name, made);
  }
  const bear = (closed: readonly Family[], servers: readonly string[]): void => {
    for (const { name, labels, values } of closed.flatMap(family => closedSeries(family, servers)))
      instruments.get(name)?.begin(named(labels, values));
  };
  bear(live, []);
  const begun = new Set<string>();
  observeProcess(registry);
  const change = (
    { name }: Readonly<{ name: string }>,
    labels: Readonly<Record<string, string>>,
    value: number,
  ): void => instruments.get(name)?.change(labels, value);
  change(buildInfo, { version: options.version }, 1);
  return {
    stored,
    exposition: async format => {
      const served = [...(await libraryFamilies(registry)), ...gauges, ...stored.families];
      // No wait from here on: what the page shows is what its number stands for.
      const page = stored.turnPage();
      return { text: exposition(served.toSorted(byName), format), page };
    },
    inc: (family, labels, by = 1) => {
      change(family, labels, by);
    },
    observe: change,
    set: change,
    replace: (family, server, rows) => instruments.get(family.name)?.replace(server, rows),
    begin: server => {
      const ofServers = live.filter(({ labels }) => labels.includes('server'));
      // Beginning again would set a histogram back.
      if (!begun.has(server)) bear(ofServers, [server]);
      begun.add(server);
    },
    drop: server => {
      for (const instrument of instruments.values()) instrument.replace(server, []);
    },
  };
}

const closedSeries = (family: Family, servers: readonly string[]) =>
  closedLabels(family, { server: servers }).map(values => ({ ...family, values }));

const organization = 'organization';

const shownOf = <F extends Family>(family: F, { organizationLabel = true }: MetricsOptions): F =>
  organizationLabel ? family : { ...family, labels: family.labels.filter(label => label !== organization) };

const isGauge = (made: Instrument): made is GaugeTable & Instrument => 'served' in made;

const byName = (a: ServedFamily, b: ServedFamily): number => (a.name < b.name ? -1 : 1);

const named = (names: readonly string[], values: readonly string[]): Readonly<Record<string, string>> =>
  Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
