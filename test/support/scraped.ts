import type { SeriesDelta, Store } from '../../src/pipeline/ports.js';
import { IncrementHold } from '../../src/metrics/increment-hold.js';
import { type Scraper, Scrapers } from '../../src/metrics/scrapers.js';
import { SeriesTable } from '../../src/metrics/series-table.js';
import { families } from '../../src/metrics/catalogue.js';
import { restoreEvents } from '../../src/metrics/restore-families.js';
import { pageWith } from './exposition.js';
import type { DrivenClock } from './simulator.js';

/** Two label sets of restore events, by name. */
export const series = {
  failed: ['hq', 'contoso', 'exchange', 'Restore', 'Failed'],
  success: ['hq', 'contoso', 'exchange', 'Restore', 'Success'],
} as const;
export type SeriesName = keyof typeof series;

export const change = (name: SeriesName, by: number): SeriesDelta => ({
  family: restoreEvents.name,
  labels: series[name],
  kind: 'counter',
  by,
});

/** A page on its way to a scraper: it counts as served when `arrive` is called. */
export type Page = Readonly<{ value: (name: SeriesName) => number | undefined; arrive: () => Promise<void> }>;

/** One process over a store: it counts, and is scraped. */
export interface Exporter {
  readonly incrementHold: IncrementHold;
  /** Counts as the metrics sink does: held back, committed, served. `crash`: the process ends after the commit. */
  count(name: SeriesName, by?: number, crash?: 'crash'): Promise<void>;
  /** Creates a series at 0, as discovery does. */
  initialDeltas(name: SeriesName): Promise<void>;
  page(scraper: Scraper): Page;
  /** A page that arrives; what it shows of each series. */
  scrape(scraper: Scraper): Promise<Readonly<Record<SeriesName, number | undefined>>>;
}

export type ExporterOptions = Readonly<{ clock: DrivenClock; store: Store; hold?: boolean; movable?: boolean }>;

export async function startExporter({
  clock,
  store,
  hold = true,
  movable = false,
}: ExporterOptions): Promise<Exporter> {
  const table = new SeriesTable(families.filter(row => row.stored === true));
  table.restore(await store.series());
  const commit = async (deltas: readonly SeriesDelta[]): Promise<void> => store.commit({ server: 'hq', deltas });
  const keep = async (deltas: readonly SeriesDelta[]): Promise<void> => {
    await commit(deltas);
    table.apply(deltas);
  };
  const scrapers = hold ? new Scrapers(clock) : undefined;
  const incrementHold = new IncrementHold({ store, table, scrapers, log: { warn: () => undefined }, movable });
  await incrementHold.release();
  const page = (scraper: Scraper): Page => {
    const number = table.turnPage();
    const value = valuesOf(table);
    return { value, arrive: async () => incrementHold.served(scraper, number) };
  };
  return {
    incrementHold,
    count: async (name, by = 1, crash) => (crash ? commit : keep)(incrementHold.hold([change(name, by)])),
    initialDeltas: async name => keep([change(name, 0)]),
    page,
    scrape: async scraper => {
      const { value, arrive } = await incrementHold.page(async () => page(scraper));
      await arrive();
      return { failed: value('failed'), success: value('success') };
    },
  };
}

function valuesOf(table: SeriesTable): Page['value'] {
  const lines = pageWith(table.families).split('\n');
  return name => {
    const [, , , type, status] = series[name];
    const line = lines.find(one => one.includes(`event_type="${type}",status="${status}"`));
    return line === undefined ? undefined : Number(line.slice(line.lastIndexOf(' ') + 1));
  };
}
