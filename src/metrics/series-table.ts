import type { Series, SeriesDelta } from '../pipeline/ports.js';
import type { Family } from './family.js';
import { type Blocks, blocksOf } from './blocks.js';
import type { Block, ServedFamily } from './exposition.js';
import { seriesText, type SeriesText } from './series-text.js';
import { addTo, emptyValue, fits, type SeriesValue } from './series-value.js';

/** Stored series that this version has no use for: their family is gone, or has another shape now. */
export type Ignored = Readonly<{ family: string; series: number }>;

/** Series of counters and histograms, and times of what was last, as they are served. */
export interface SeriesTable {
  readonly families: readonly ServedFamily[];
  /** Takes over what the store holds, before anything is served. Says what it could not use. */
  restore(series: readonly Series[]): readonly Ignored[];
  /** Takes the changes of a transaction that is committed. What is of no family, or not of its shape, changes nothing. */
  apply(deltas: readonly SeriesDelta[]): void;
  /** Begins a page: what is there now is on it. Pages are numbered from 1. */
  turnPage(): number;
  /** The first page that shows the series a change is for; undefined while no page would. */
  firstPage(delta: SeriesDelta): number | undefined;
  /** Whatever is held back of series that were on page `seen` or one before: the changes that let go of it. */
  letGo(seen: number): readonly SeriesDelta[];
}

/** What is held back of one stored series. */
type Held = { readonly labels: readonly string[]; amount: bigint };
type Row = {
  readonly tail: string;
  readonly firstPage: number;
  readonly value: SeriesValue;
  /** By stored series: several are served as one when a label is not shown. */
  held: Map<string, Held> | undefined;
};
/** A row and where it is written. */
type Place = Readonly<{ row: Row; block: Block }>;
type Table = Readonly<{
  family: Family;
  hidden: number;
  text: SeriesText;
  places: Map<string, Place>;
  blocks: Blocks<Row>;
}>;

export type SeriesTableOptions = Readonly<{
  /** A label that is not shown: series that differ in nothing else are served as their sum, or the newest of them. */
  hidden?: string | undefined;
  /** Told of a block before a series of it changes. */
  changing?: (block: Block) => void;
}>;

/** A table of `families`. */
export function seriesTable(
  families: readonly Family[],
  { hidden, changing = () => undefined }: SeriesTableOptions = {},
): SeriesTable {
  const tables = new Map<string, Table>(families.map(family => [family.name, tableOf(family, hidden, changing)]));
  const holding = new Map<Row, Table>();
  let page = 0;
  const take = (change: Series | SeriesDelta): boolean => {
    const table = tables.get(change.family);
    if (table === undefined || !fits(change, table.family)) return false;
    const { row, block } = placeOf(table, change, page + 1);
    changing(block);
    addTo(row.value, change);
    if (change.kind !== 'counter' || change.held === undefined) return true;
    hold(row, change.labels, BigInt(change.held));
    if (row.held === undefined) holding.delete(row);
    else holding.set(row, table);
    return true;
  };
  return {
    families: [...tables.values()].map(({ family: { name, help, type }, blocks }) => ({
      name,
      help,
      type,
      blocks: () => blocks.all,
    })),
    restore: all => {
      const ignored = new Map<string, number>();
      for (const series of all) if (!take(series)) ignored.set(series.family, (ignored.get(series.family) ?? 0) + 1);
      return [...ignored].map(([family, series]) => ({ family, series }));
    },
    apply: deltas => {
      for (const delta of deltas) take(delta);
    },
    turnPage: () => (page += 1),
    firstPage: delta => {
      const table = tables.get(delta.family);
      return table?.places.get(keyOf(shown(table, delta.labels)))?.row.firstPage;
    },
    letGo: seen => [...holding].flatMap(([row, table]) => (row.firstPage <= seen ? releases(table, row) : [])),
  };
}

/** A key that no two label lists share, whatever the labels hold. */
const keyOf = (labels: readonly string[]): string => JSON.stringify(labels);

function tableOf(family: Family, hiddenLabel: string | undefined, changing: (block: Block) => void): Table {
  const hidden = hiddenLabel === undefined ? -1 : family.labels.indexOf(hiddenLabel);
  const text = seriesText(
    family,
    family.labels.filter((_, i) => i !== hidden),
  );
  return { family, hidden, text, places: new Map(), blocks: blocksOf<Row>(text.write, changing) };
}

const shown = ({ hidden }: Table, labels: readonly string[]): readonly string[] =>
  hidden === -1 ? labels : labels.toSpliced(hidden, 1);

function placeOf(table: Table, change: Series | SeriesDelta, firstPage: number): Place {
  const values = shown(table, change.labels);
  const key = keyOf(values);
  const known = table.places.get(key);
  if (known !== undefined) return known;
  const row: Row = { tail: table.text.tail(values), firstPage, value: emptyValue(table.family), held: undefined };
  const place = { row, block: table.blocks.add(row) };
  table.places.set(key, place);
  return place;
}

function hold(row: Row, labels: readonly string[], by: bigint): void {
  const key = keyOf(labels);
  const held = (row.held ??= new Map<string, Held>());
  const amount = (held.get(key)?.amount ?? 0n) + by;
  if (amount > 0n) held.set(key, { labels, amount });
  else held.delete(key);
  if (held.size === 0) row.held = undefined;
}

const releases = ({ family }: Table, { held = new Map<string, Held>() }: Row): readonly SeriesDelta[] =>
  [...held.values()].map(({ labels, amount }) => ({
    family: family.name,
    labels,
    kind: 'counter',
    by: 0,
    held: -Number(amount),
  }));
