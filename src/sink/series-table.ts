import type { Registry } from 'prom-client';
import { toSeconds } from '../model/time.js';
import type { Series, SeriesDelta } from '../pipeline/ports.js';
import type { Family, Histogram } from '../telemetry/family.js';
import { exposedFamily, keyOf, named, type Sample } from './exposed-family.js';

/** Stored series that this version has no use for: their family is gone, or has another shape now. */
export type Ignored = Readonly<{ family: string; series: number }>;

/** The series that survive restarts, as they are served. */
export interface SeriesTable {
  /** Takes over what the store holds, before anything is served. Says what it could not use. */
  restore(series: readonly Series[]): readonly Ignored[];
  /** Takes the changes of a transaction that is committed. What is of no family, or not of its shape, changes nothing. */
  apply(deltas: readonly SeriesDelta[]): void;
}

type Row = { readonly labels: Readonly<Record<string, string>>; series: Series };
type Table = Readonly<{ family: Family; rows: Map<string, Row> }>;

/** A table of the stored ones of `families`, which `registry` serves. */
export function seriesTable(families: readonly Family[], registry: Registry): SeriesTable {
  const tables = new Map<string, Table>();
  for (const family of families.filter(({ stored }) => stored)) {
    const rows = new Map<string, Row>();
    tables.set(family.name, { family, rows });
    registry.registerMetric(exposedFamily(family, () => [...rows.values()].flatMap(row => samples(family, row))));
  }
  const put = (series: Series, table: Table): void => {
    const row = { labels: named(table.family.labels, series.labels), series };
    table.rows.set(keyOf(series.labels), row);
  };
  return {
    restore: all => {
      const ignored = new Map<string, number>();
      for (const series of all) {
        const table = tables.get(series.family);
        if (table !== undefined && fits(series, table.family)) put(series, table);
        else ignored.set(series.family, (ignored.get(series.family) ?? 0) + 1);
      }
      return [...ignored].map(([family, series]) => ({ family, series }));
    },
    apply: deltas => {
      for (const delta of deltas) {
        const table = tables.get(delta.family);
        if (table === undefined || !fits(delta, table.family)) continue;
        const row = table.rows.get(keyOf(delta.labels));
        if (row === undefined) put(begun(delta), table);
        else row.series = grown(row.series, delta);
      }
    },
  };
}

/** Whether a series or a change has the shape of the family, which may have been another when it was written. */
function fits(series: Series | SeriesDelta, family: Family): boolean {
  if (series.labels.length !== family.labels.length) return false;
  if (series.kind === 'histogram')
    return family.type === 'histogram' && series.counts.length === family.buckets.length + 1;
  return family.type === (series.kind === 'counter' ? 'counter' : 'gauge');
}

/** The series that its first change makes. */
function begun(delta: SeriesDelta): Series {
  const { family, labels } = delta;
  if (delta.kind === 'counter') return { family, labels, kind: 'counter', value: BigInt(delta.by) };
  if (delta.kind === 'latest') return { family, labels, kind: 'latest', at: delta.at };
  return { family, labels, kind: 'histogram', counts: delta.counts.map(BigInt), sumTicks: delta.sumTicks };
}

/** A series with a change of its own kind. */
function grown(series: Series, delta: SeriesDelta): Series {
  if (series.kind === 'counter' && delta.kind === 'counter')
    return { ...series, value: series.value + BigInt(delta.by) };
  if (series.kind === 'latest' && delta.kind === 'latest')
    return delta.at > series.at ? { ...series, at: delta.at } : series;
  if (series.kind !== 'histogram' || delta.kind !== 'histogram') return series;
  const counts = series.counts.map((count, i) => count + BigInt(delta.counts[i] ?? 0));
  return { ...series, counts, sumTicks: series.sumTicks + delta.sumTicks };
}

function samples(family: Family, { labels, series }: Row): readonly Sample[] {
  if (series.kind === 'counter') return [{ labels, value: Number(series.value) }];
  if (series.kind === 'latest') return [{ labels, value: toSeconds(series.at) }];
  return family.type === 'histogram' ? histogramSamples(family, labels, series) : [];
}

/** Cumulative buckets, sum and count, as the text format wants them. */
function histogramSamples(
  { name, buckets }: Histogram,
  sharedLabels: Row['labels'],
  { counts, sumTicks }: Extract<Series, { kind: 'histogram' }>,
): readonly Sample[] {
  let below = 0n;
  const bucketSamples = counts.map((count, i): Sample => {
    below += count;
    return { metricName: `${name}_bucket`, labels: { le: buckets[i] ?? '+Inf' }, sharedLabels, value: Number(below) };
  });
  return [
    ...bucketSamples,
    { metricName: `${name}_sum`, labels: {}, sharedLabels, value: Number(sumTicks) / 1e7 },
    { metricName: `${name}_count`, labels: {}, sharedLabels, value: Number(below) },
  ];
}
