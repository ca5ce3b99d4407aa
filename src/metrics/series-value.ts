import type { Exemplar, Series, SeriesDelta } from '../pipeline/ports.js';
import { newerExemplar } from './exemplars.js';
import type { Family } from './family.js';

/** What a served series stands at; grows in place. */
export type SeriesValue =
  | { readonly kind: 'counter'; value: bigint; exemplar: Exemplar | undefined }
  | {
      readonly kind: 'histogram';
      readonly counts: bigint[];
      sumTicks: bigint;
      readonly exemplars: (Exemplar | undefined)[];
    }
  | { readonly kind: 'latest'; at: bigint | undefined };

/** A series of the family before anything has happened. */
export function emptyValue(family: Family): SeriesValue {
  if (family.type === 'counter') return { kind: 'counter', value: 0n, exemplar: undefined };
  if (family.type === 'gauge') return { kind: 'latest', at: undefined };
  return { kind: 'histogram', counts: [...family.buckets.map(() => 0n), 0n], sumTicks: 0n, exemplars: [] };
}

/** Whether a series or a change has the shape of the family, which may have been another when it was written. */
export function fits(series: Series | SeriesDelta, family: Family): boolean {
  if (series.labels.length !== family.labels.length) return false;
  if (series.kind === 'histogram')
    return family.type === 'histogram' && series.counts.length === family.buckets.length + 1;
  return family.type === (series.kind === 'counter' ? 'counter' : 'gauge');
}

type Change = Series | SeriesDelta;
type Kind<T, K extends string> = Extract<T, { kind: K }>;

/** Adds a change, or all that was stored of a series. Of several series that are served as one, the sums are right too. */
export function addTo(into: SeriesValue, change: Change): void {
  if (into.kind === 'counter' && change.kind === 'counter') addCount(into, change);
  if (into.kind === 'latest' && change.kind === 'latest') addTime(into, change);
  if (into.kind === 'histogram' && change.kind === 'histogram') addObservations(into, change);
}

function addCount(into: Kind<SeriesValue, 'counter'>, change: Kind<Change, 'counter'>): void {
  into.value += 'by' in change ? BigInt(change.by) : change.value;
  if ('exemplar' in change) into.exemplar = newerExemplar(into.exemplar, change.exemplar);
}

function addTime(into: Kind<SeriesValue, 'latest'>, { at }: Kind<Change, 'latest'>): void {
  if (into.at === undefined || at > into.at) into.at = at;
}

function addObservations(into: Kind<SeriesValue, 'histogram'>, change: Kind<Change, 'histogram'>): void {
  for (const [i, count] of change.counts.entries()) into.counts[i] = (into.counts[i] ?? 0n) + BigInt(count);
  into.sumTicks += change.sumTicks;
  if (!('exemplars' in change)) return;
  for (const [i, exemplar] of change.exemplars.entries())
    into.exemplars[i] = newerExemplar(into.exemplars[i], exemplar);
}
