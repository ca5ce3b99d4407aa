import { toSeconds } from '../model/time.js';
import type { Series, SeriesDelta } from '../pipeline/ports.js';
import type { Family } from '../telemetry/family.js';
import { boundText, exemplarText, type Format, labelText, sampleLine, type ServedFamily } from './exposition.js';
import { addTo, emptyValue, fits, type SeriesValue } from './series-value.js';

/** Stored series that this version has no use for: their family is gone, or has another shape now. */
export type Ignored = Readonly<{ family: string; series: number }>;

/** The series that survive restarts, as they are served. */
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
  /** As they are written. */
  readonly labels: string;
  readonly firstPage: number;
  readonly value: SeriesValue;
  /** By stored series: several are served as one when a label is not shown. */
  held: Map<string, Held> | undefined;
};
type Table = Readonly<{ family: Family; hidden: number; shownLabels: readonly string[]; rows: Map<string, Row> }>;

/**
 * A table of the stored ones of `families`.
 * @param hidden a label that is not shown: series that differ in nothing else are served as their sum, or the newest of them.
 */
export function seriesTable(families: readonly Family[], hidden?: string): SeriesTable {
  const tables = new Map<string, Table>(
    families.filter(row => row.stored).map(family => [family.name, tableOf(family, hidden)]),
  );
  const holding = new Map<Row, Table>();
  let page = 0;
  const take = (change: Series | SeriesDelta): boolean => {
    const table = tables.get(change.family);
    if (table === undefined || !fits(change, table.family)) return false;
    const row = rowOf(table, change, page + 1);
    addTo(row.value, change);
    if (change.kind !== 'counter' || change.held === undefined) return true;
    hold(row, change.labels, BigInt(change.held));
    if (row.held === undefined) holding.delete(row);
    else holding.set(row, table);
    return true;
  };
  return {
    families: [...tables.values()].map(served),
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
      return table?.rows.get(keyOf(shown(table, delta.labels)))?.firstPage;
    },
    letGo: seen => [...holding].flatMap(([row, table]) => (row.firstPage <= seen ? releases(table, row) : [])),
  };
}

/** A key that no two label lists share, whatever the labels hold. */
const keyOf = (labels: readonly string[]): string => JSON.stringify(labels);

function tableOf(family: Family, hiddenLabel: string | undefined): Table {
  const hidden = hiddenLabel === undefined ? -1 : family.labels.indexOf(hiddenLabel);
  return { family, hidden, shownLabels: family.labels.filter((_, i) => i !== hidden), rows: new Map() };
}

const shown = ({ hidden }: Table, labels: readonly string[]): readonly string[] =>
  hidden === -1 ? labels : labels.toSpliced(hidden, 1);

function rowOf(table: Table, change: Series | SeriesDelta, firstPage: number): Row {
  const values = shown(table, change.labels);
  const key = keyOf(values);
  let row = table.rows.get(key);
  if (row === undefined) {
    row = { labels: labelText(table.shownLabels, values), firstPage, value: emptyValue(table.family), held: undefined };
    table.rows.set(key, row);
  }
  return row;
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

function served({ family, rows }: Table): ServedFamily {
  const { name, help, type } = family;
  const bounds = family.type === 'histogram' ? family.buckets : [];
  return {
    name,
    help,
    type,
    lines: format => {
      const prefixes = [...bounds, undefined].map(bound => `le="${boundText(bound, format)}"`);
      return [...rows.values()].flatMap(row => linesOf(name, row, { format, prefixes }));
    },
  };
}

type Writing = Readonly<{ format: Format; prefixes: readonly string[] }>;

function linesOf(name: string, { labels, value, held }: Row, writing: Writing): readonly string[] {
  if (value.kind === 'histogram') return histogramLines(name, labels, value, writing);
  if (value.kind === 'latest') return value.at === undefined ? [] : [sampleLine(name, labels, toSeconds(value.at))];
  if (held === undefined)
    return [sampleLine(name, labels, Number(value.value), exemplarText(value.exemplar, writing.format))];
  // An exemplar of what is not counted yet would point at nothing.
  const heldBack = [...held.values()].reduce((sum, { amount }) => sum + amount, 0n);
  return [sampleLine(name, labels, Number(value.value - heldBack))];
}

/** Cumulative buckets, sum and count, as both formats want them. */
function histogramLines(
  name: string,
  labels: string,
  { counts, sumTicks, exemplars }: Extract<SeriesValue, { kind: 'histogram' }>,
  { format, prefixes }: Writing,
): readonly string[] {
  let below = 0n;
  const buckets = counts.map((count, i) => {
    below += count;
    const exemplar = exemplarText(exemplars[i], format);
    return sampleLine(`${name}_bucket`, [prefixes[i], labels].filter(Boolean).join(','), Number(below), exemplar);
  });
  return [
    ...buckets,
    sampleLine(`${name}_sum`, labels, Number(sumTicks) / 1e7),
    sampleLine(`${name}_count`, labels, Number(below)),
  ];
}
