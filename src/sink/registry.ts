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
import { named } from './exposed-family.js';
import { type Instrument, instrument, observeProcess } from './instruments.js';
import { type SeriesTable, seriesTable } from './series-table.js';

/** One row of a gauge that is replaced whole; its server is named once for all rows. */
export type RowOf<F extends Family> = Readonly<{ labels: Omit<LabelsOf<F>, 'server'>; value: number }>;

/** A family that lives in this process only. */
type Live = Readonly<{ stored: false }>;

/** Everything that /metrics serves, and the only way to change it. A label that a family lacks is a type error. */
export interface Metrics {
  readonly registry: Registry;
  readonly stored: SeriesTable;
  inc<F extends Counter & Live>(family: F, labels: LabelsOf<F>, by?: number): void;
  observe<F extends Histogram & Live>(family: F, labels: LabelsOf<F>, value: number): void;
  set<F extends Gauge & Live>(family: F, labels: LabelsOf<F>, value: number): void;
  /** Puts `rows` in place of all series of a server, in one turn: no scrape sees half. */
  replace<F extends Gauge & Live>(family: F, server: string, rows: readonly RowOf<F>[]): void;
}

/** @param options `servers`: the names whose closed series exist at 0 from the start, beside those of the process. */
export function createMetrics(options: Readonly<{ version: string; servers: readonly string[] }>): Metrics {
  const registry = new Registry();
  const stored = seriesTable(families, registry);
  const instruments = new Map<string, Instrument>();
  for (const family of families.filter(row => !row.stored)) {
    const made = instrument(family, registry);
    instruments.set(family.name, made);
    for (const values of closedLabels(family, { server: options.servers })) made.begin(named(family.labels, values));
  }
  observeProcess(registry);
  const change = (
    { name }: Readonly<{ name: string }>,
    labels: Readonly<Record<string, string>>,
    value: number,
  ): void => instruments.get(name)?.change(labels, value);
  change(buildInfo, { version: options.version }, 1);
  return {
    registry,
    stored,
    inc: (family, labels, by = 1) => {
      change(family, labels, by);
    },
    observe: change,
    set: change,
    replace: (family, server, rows) => instruments.get(family.name)?.replace(server, rows),
  };
}
