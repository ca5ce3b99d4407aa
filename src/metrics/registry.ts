import { nextTurn } from '../kernel/clock.js';
import { seconds } from '../model/time.js';
import { families } from './catalogue.js';
import { buildInfo } from './delivery-families.js';
import type { Counter, Family, Gauge, Histogram, LabelsOf } from './family.js';
import { closedDeltas } from './deltas.js';
import { observations, observe, DeltaBuilder } from './delta-builder.js';
import { exposition, type Format, type ServedFamily } from './exposition.js';
import { type GaugeTable, gaugeTable } from './gauge-table.js';
import { createPageWriter, type PageWriter } from './page-writer.js';
import { processMetrics } from './process-metrics.js';
import { type SeriesTable, seriesTable } from './series-table.js';

/** One row of a gauge that is replaced whole; its server is named once for all rows. */
export type RowOf<F extends Family> = Readonly<{ labels: Omit<LabelsOf<F>, 'server'>; value: number }>;

/** A family that lives in this process only. */
type Live = Readonly<{ stored: false }>;

/** Everything that /metrics serves, and the only way to change it. A label that a family lacks is a type error. */
export interface Metrics {
  readonly stored: SeriesTable;
  /** All of it, as it stood at one moment. Whoever asks while a page of that format is being written gets that one. */
  exposition(format: Format): Promise<Exposition>;
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

/** A page. `page`: its number, by which `stored` knows what is on it. */
export type Exposition = Readonly<{ body: Buffer; page: number }>;

export type MetricsOptions = Readonly<{
  version: string;
  /** Whether `organization` is shown; without it, series that differ in nothing else are served as their sum. */
  organizationLabel?: boolean;
  /** Between two slices of a page, lets everything else that waits go on. */
  turn?: () => Promise<void>;
}>;

export function createMetrics(options: MetricsOptions): Metrics {
  const pages = createPageWriter(options.turn ?? nextTurn);
  const hidden = options.organizationLabel === false ? organization : undefined;
  const tableOf = (of: readonly Family[]) => seriesTable(of, { hidden, changing: pages.changing });
  const live = families.filter(row => !row.stored);
  const stored = tableOf(families.filter(row => row.stored));
  const counted = live.filter(({ type }) => type !== 'gauge');
  const own = tableOf(counted);
  const gauges = gaugesOf(live, hidden, pages);
  const ofProcess = processMetrics();
  const write = async (format: Format): Promise<Exposition> => {
    const served = [...(await ofProcess()), ...[...gauges.values()].map(gauge => gauge.served)];
    // No wait until all is at hand: what the page shows is what its number stands for.
    const page = stored.turnPage();
    const blocks = exposition([...served, ...own.families, ...stored.families].toSorted(byName));
    return { body: await pages.write(blocks, format), page };
  };
  const count = (add: (builder: DeltaBuilder) => void): void => {
    const builder = new DeltaBuilder();
    add(builder);
    own.apply(builder.deltas());
  };
  const set = ({ name }: Named, labels: Labels, value: number): void => gauges.get(name)?.change(labels, value);
  own.apply(closedDeltas(counted, { server: [] }));
  set(buildInfo, { version: options.version }, 1);
  return {
    stored,
    exposition: sharing(write),
    inc: (family, labels, by = 1) => {
      count(builder => {
        builder.count(family, labels, by);
      });
    },
    observe: (family, labels, value) => {
      const seen = observations(family);
      observe(seen, seconds(value));
      count(builder => {
        builder.observed(family, labels, seen);
      });
    },
    set,
    replace: ({ name }, server, rows) => gauges.get(name)?.replace(server, rows),
    begin: server => {
      own.apply(closedDeltas(counted, { server: [server] }));
    },
    drop: server => {
      for (const gauge of gauges.values()) gauge.replace(server, []);
    },
  };
}

type Named = Readonly<{ name: string }>;
type Labels = Readonly<Record<string, string>>;

const organization = 'organization';

/** The gauges among `of`, by name. */
function gaugesOf(
  of: readonly Family[],
  hidden: string | undefined,
  { changing }: PageWriter,
): ReadonlyMap<string, GaugeTable> {
  const shown = of.map(family => ({ ...family, labels: family.labels.filter(label => label !== hidden) }));
  return new Map(
    shown.filter(({ type }) => type === 'gauge').map(family => [family.name, gaugeTable(family, changing)]),
  );
}

/** The same, but that whoever asks while the answer for that format is being made gets that one. */
function sharing(write: (format: Format) => Promise<Exposition>): (format: Format) => Promise<Exposition> {
  const inHand = new Map<Format, Promise<Exposition>>();
  return async format => {
    const making = inHand.get(format) ?? write(format).finally(() => inHand.delete(format));
    inHand.set(format, making);
    return making;
  };
}

const byName = (a: ServedFamily, b: ServedFamily): number => (a.name < b.name ? -1 : 1);
