import type { Series, SeriesDelta } from '../pipeline/ports.js';
import { seriesKey } from '../pipeline/series.js';
import { type ExemplarSeries, foldWithExemplars } from './exemplars.js';
import { type Format, labelText, type ServedFamily, type SeriesWriter, seriesWriter } from './exposition.js';
import type { Family } from './family.js';

/** Stored series that this version cannot use: their family is gone, or has another shape now. */
type Ignored = Readonly<{ family: string; series: number }>;

type SeriesRow = {
  /** As they are written. */
  readonly labels: string;
  /** The first page that shows the row. */
  readonly firstPage: number;
  value: ExemplarSeries;
};

/** The held-back part of one stored series. Several may be served as one row if a label is hidden. */
type HeldIncrement = Readonly<{ family: string; labels: readonly string[]; amount: bigint; row: SeriesRow }>;

/** The counters, histograms and times that /metrics serves: all series of these families, each the sum of its deltas. */
export class SeriesTable {
  readonly families: readonly ServedFamily[];
  readonly #families: ReadonlyMap<string, FamilyRows>;
  readonly #held = new Map<string, HeldIncrement>();
  readonly #leases = new Map<string, string>();
  #page = 0;

  /** @param hidden a label that is not served: series that differ in nothing else are served as their sum, or the newest. */
  constructor(families: readonly Family[], hidden?: string) {
    this.#families = new Map(families.map(family => [family.name, new FamilyRows(family, this.#leases, hidden)]));
    this.families = Array.from(this.#families.values(), ({ served }) => served);
  }

  /** Loads stored series, before anything is served. Returns those that it cannot use. */
  restore(stored: readonly Series[]): readonly Ignored[] {
    const ignored = stored.filter(series => !this.#add(series));
    return Array.from(
      Map.groupBy(ignored, ({ family }) => family),
      ([family, { length }]) => ({ family, series: length }),
    );
  }

  /** Adds committed deltas. Ignores those of unknown families and of another shape. */
  apply(deltas: readonly SeriesDelta[]): void {
    for (const delta of deltas) this.#add(delta);
  }

  /** Removes every series of a server. @param lease a label of the counters that it gets from now on. */
  forget(server: string, lease = this.#leases.get(server)): void {
    if (lease !== undefined) this.#leases.set(server, lease);
    for (const family of this.#families.values()) family.forget(server);
    for (const [key, { labels }] of this.#held) if (labels[0] === server) this.#held.delete(key);
  }

  /** Begins a page, which shows every row that exists now. Pages are numbered from 1. */
  turnPage(): number {
    return (this.#page += 1);
  }

  /** The first page that shows the series of a delta; undefined while none does. */
  firstPage(delta: SeriesDelta): number | undefined {
    return this.#families.get(delta.family)?.find(delta)?.firstPage;
  }

  /** The deltas that release all increments held back in rows that page `seen`, or an earlier one, showed. */
  releases(seen: number): readonly SeriesDelta[] {
    return [...this.#held.values()]
      .filter(({ row }) => row.firstPage <= seen)
      .map(({ family, labels, amount }) => ({ family, labels, kind: 'counter', by: 0, held: -Number(amount) }));
  }

  #add(added: Series | SeriesDelta): boolean {
    const row = this.#families.get(added.family)?.add(added, this.#page + 1);
    if (row !== undefined && added.kind === 'counter' && added.held !== undefined)
      this.#hold(added, BigInt(added.held), row);
    return row !== undefined;
  }

  #hold({ family, labels }: Series | SeriesDelta, more: bigint, row: SeriesRow): void {
    const key = seriesKey({ family, labels });
    const amount = (this.#held.get(key)?.amount ?? 0n) + more;
    if (amount > 0n) this.#held.set(key, { family, labels, amount, row });
    else this.#held.delete(key);
  }
}

/** The rows of one family, by the values of the labels that are served. */
class FamilyRows {
  readonly served: ServedFamily;
  readonly #family: Family;
  readonly #leases: ReadonlyMap<string, string>;
  readonly #hidden: number;
  readonly #names: readonly string[];
  readonly #write: SeriesWriter;
  readonly #rows = new Map<string, SeriesRow>();

  constructor(family: Family, leases: ReadonlyMap<string, string>, hidden: string | undefined) {
    const { name, help, type, labels } = family;
    this.#family = family;
    this.#leases = leases;
    this.#hidden = hidden === undefined ? -1 : labels.indexOf(hidden);
    this.#names = this.#shown(labels);
    this.#write = seriesWriter(family);
    this.served = { name, help, type, write: format => this.#text(format) };
  }

  find({ labels }: SeriesDelta): SeriesRow | undefined {
    return this.#rows.get(JSON.stringify(this.#shown(labels)));
  }

  /** Adds to the row of a series, which begins on `page`. Undefined when the series does not have the shape of the family. */
  add(added: Series | SeriesDelta, page: number): SeriesRow | undefined {
    if (!fits(added, this.#family)) return undefined;
    const values = this.#shown(added.labels);
    const key = JSON.stringify(values);
    const known = this.#rows.get(key);
    const value = foldWithExemplars(known?.value, added);
    if (known !== undefined) known.value = value;
    const row = known ?? { labels: this.#labels(values), firstPage: page, value };
    this.#rows.set(key, row);
    return row;
  }

  #labels(values: readonly string[]): string {
    const lease = this.#names[0] === 'server' ? this.#leases.get(values[0] ?? '') : undefined;
    if (lease === undefined || this.#family.type === 'gauge') return labelText(this.#names, values);
    return labelText([...this.#names, 'lease'], [...values, lease]);
  }

  /** The label `server` is the first one, where there is one. */
  forget(server: string): void {
    if (this.#family.labels[0] !== 'server') return;
    const start = JSON.stringify([server]).slice(0, -1);
    for (const key of this.#rows.keys()) if (key === `${start}]` || key.startsWith(`${start},`)) this.#rows.delete(key);
  }

  #shown(labels: readonly string[]): readonly string[] {
    return this.#hidden === -1 ? labels : labels.toSpliced(this.#hidden, 1);
  }

  #text(format: Format): string {
    let text = '';
    for (const { labels, value } of this.#rows.values()) text += this.#write(labels, value, format);
    return text;
  }
}

/** Whether a series has the shape of the family, which may have changed since the series was stored. */
function fits(series: Series | SeriesDelta, family: Family): boolean {
  if (series.labels.length !== family.labels.length) return false;
  if (series.kind === 'histogram')
    return family.type === 'histogram' && series.counts.length === family.buckets.length + 1;
  return family.type === (series.kind === 'counter' ? 'counter' : 'gauge');
}
