import type { Exemplar, SeriesDelta } from '../pipeline/ports.js';
import { seriesKey } from '../pipeline/series.js';
import { seconds, type Nanos } from '../model/time.js';
import { type Exemplars, type ExemplarSeries, foldWithExemplars } from './exemplars.js';
import type { Counter, Family, Gauge, Histogram, LabelsOf } from './family.js';

/** What was observed for one series of a histogram; grows in place. */
export type Observations = {
  /** Upper bounds in whole nanoseconds: exact, and cheap to compare. */
  readonly bounds: readonly number[];
  /** Per bucket, not cumulative; the last is +Inf. */
  readonly counts: number[];
  /** In ticks of 100 ns. */
  sumTicks: bigint;
};

/** A sum counts at most this for one observation: a time in year 9999 must not overflow the 64 bits of a stored sum. */
const longest: Nanos = seconds(366 * 86_400);

export const observations = ({ buckets }: Histogram): Observations => ({
  bounds: buckets.map(bound => Math.round(bound * 1e9)),
  counts: Array.from({ length: buckets.length + 1 }, () => 0),
  sumTicks: 0n,
});

/** Adds one observation and returns the index of its bucket. The sum counts at most `most` for it. */
export function observe(into: Observations, length: Nanos, most: Nanos = longest): number {
  const nanos = Number(length);
  const found = into.bounds.findIndex(bound => nanos <= bound);
  const bucket = found === -1 ? into.bounds.length : found;
  into.counts[bucket] = (into.counts[bucket] ?? 0) + 1;
  into.sumTicks += (length < most ? length : most) / 100n;
  return bucket;
}

/** Adds up deltas, so that a batch changes each series once. */
export class DeltaBuilder {
  readonly #sums = new Map<string, ExemplarSeries>();

  /** @param by a whole number. */
  count<F extends Counter>(family: F, labels: LabelsOf<F>, by: number, exemplar?: Exemplar): this {
    return this.#add({ ...seriesOf(family, labels), kind: 'counter', by, ...(exemplar && { exemplar }) });
  }

  observed<F extends Histogram>(family: F, labels: LabelsOf<F>, of: Observations, exemplars: Exemplars = []): this {
    const { counts, sumTicks } = of;
    return this.#add({ ...seriesOf(family, labels), kind: 'histogram', counts, sumTicks, exemplars });
  }

  latest<F extends Gauge>(family: F, labels: LabelsOf<F>, at: Nanos): this {
    return this.#add({ ...seriesOf(family, labels), kind: 'latest', at });
  }

  /** One delta per series, in the order in which the series were added. */
  deltas(): readonly SeriesDelta[] {
    return Array.from(this.#sums.values(), deltaOf);
  }

  #add(added: SeriesDelta): this {
    const key = seriesKey(added);
    this.#sums.set(key, foldWithExemplars(this.#sums.get(key), added));
    return this;
  }
}

/** Lone surrogates are replaced as every encoder would replace them: a series has one spelling everywhere. */
const seriesOf = <F extends Family>(family: F, labels: LabelsOf<F>): Pick<SeriesDelta, 'family' | 'labels'> => ({
  family: family.name,
  labels: family.labels.map((label: F['labels'][number]) => labels[label].toWellFormed()),
});

/** The delta that makes this series out of nothing. */
function deltaOf({ series, exemplars }: ExemplarSeries): SeriesDelta {
  if (series.kind === 'latest') return series;
  if (series.kind === 'histogram')
    return { ...series, counts: series.counts.map(Number), ...(exemplars.length > 0 && { exemplars }) };
  const { family, labels, kind, value } = series;
  const [exemplar] = exemplars;
  return { family, labels, kind, by: Number(value), ...(exemplar && { exemplar }) };
}
