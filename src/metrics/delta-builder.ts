import type { Exemplar, SeriesDelta } from '../pipeline/ports.js';
import { seconds, type Nanos } from '../model/time.js';
import { newerExemplar } from './exemplars.js';
import type { Counter, Family, Gauge, Histogram, LabelsOf } from './family.js';

/** What was observed for one series of a histogram; grows in place. */
export type Observations = {
  /** Upper bounds, as whole nanoseconds: exact, and cheap to compare. */
  readonly bounds: readonly number[];
  /** Per bucket, not cumulated; the last is +Inf. */
  readonly counts: number[];
  /** In ticks of 100 ns. */
  sumTicks: bigint;
};

/**
 * The longest time that goes into a sum in full. A time of year 9999 must not carry the sum of a series over the
 * 64 bits a store has for it.
 */
export const longest: Nanos = seconds(366 * 86_400);

/** No observation yet. */
export function observations({ buckets }: Histogram): Observations {
  return {
    bounds: buckets.map(bound => Math.round(bound * 1e9)),
    counts: Array.from({ length: buckets.length + 1 }, () => 0),
    sumTicks: 0n,
  };
}

/**
 * Adds one observation, and says into which bucket it fell. That is the right one whatever its length; the sum takes no
 * more than `most` of it.
 */
export function observe(into: Observations, length: Nanos, most: Nanos = longest): number {
  const nanos = Number(length);
  const found = into.bounds.findIndex(bound => nanos <= bound);
  const bucket = found === -1 ? into.bounds.length : found;
  into.counts[bucket] = (into.counts[bucket] ?? 0) + 1;
  into.sumTicks += (length < most ? length : most) / 100n;
  return bucket;
}

/** Adds up changes per series, so that a batch changes each series once. */
export class DeltaBuilder {
  readonly #deltas = new Map<string, SeriesDelta>();

  count<F extends Counter>(family: F, labels: LabelsOf<F>, by: number, exemplar?: Exemplar): void {
    const of = { family: family.name, labels: inOrder(family, labels) };
    this.#add({ ...of, kind: 'counter', by, ...(exemplar === undefined ? {} : { exemplar }) });
  }

  observed<F extends Histogram>(
    family: F,
    labels: LabelsOf<F>,
    { counts, sumTicks }: Observations,
    exemplars?: readonly (Exemplar | undefined)[],
  ): void {
    const of = { family: family.name, labels: inOrder(family, labels) };
    this.#add({ ...of, kind: 'histogram', counts, sumTicks, ...(exemplars === undefined ? {} : { exemplars }) });
  }

  latest<F extends Gauge>(family: F, labels: LabelsOf<F>, at: Nanos): void {
    this.#add({ family: family.name, labels: inOrder(family, labels), kind: 'latest', at });
  }

  /** One delta per series, in the order in which the series were first met. */
  deltas(): readonly SeriesDelta[] {
    return [...this.#deltas.values()];
  }

  #add(delta: SeriesDelta): void {
    const key = JSON.stringify([delta.family, ...delta.labels]);
    const before = this.#deltas.get(key);
    this.#deltas.set(key, before === undefined ? delta : merged(before, delta));
  }
}

/** Lone surrogates are replaced, as every encoder on the way out would do: a series has one spelling everywhere. */
const inOrder = <F extends Family>(family: F, labels: LabelsOf<F>): readonly string[] =>
  family.labels.map((label: F['labels'][number]) => labels[label].toWellFormed());

/** Two changes to the same series as one. */
function merged(a: SeriesDelta, b: SeriesDelta): SeriesDelta {
  if (a.kind === 'counter' && b.kind === 'counter') {
    const exemplar = newerExemplar(a.exemplar, b.exemplar);
    return { ...a, by: a.by + b.by, ...(exemplar === undefined ? {} : { exemplar }) };
  }
  if (a.kind === 'histogram' && b.kind === 'histogram') return mergedHistogram(a, b);
  if (a.kind === 'latest' && b.kind === 'latest') return a.at < b.at ? b : a;
  throw new TypeError(`Cannot merge ${a.kind} and ${b.kind} of "${a.family}"`);
}

type HistogramDelta = Extract<SeriesDelta, { kind: 'histogram' }>;

function mergedHistogram(a: HistogramDelta, b: HistogramDelta): HistogramDelta {
  const counts = a.counts.map((count, i) => count + (b.counts[i] ?? 0));
  const merging = { ...a, counts, sumTicks: a.sumTicks + b.sumTicks };
  if (a.exemplars === undefined || b.exemplars === undefined) return { ...b, ...merging };
  const exemplars = counts.map((_, i) => newerExemplar(a.exemplars?.[i], b.exemplars?.[i]));
  return { ...merging, exemplars };
}
