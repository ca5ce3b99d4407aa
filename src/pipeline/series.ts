import { ExporterError } from '../kernel/errors.js';
import type { Series, SeriesDelta } from './ports.js';

/** Something to add to a series: a delta, or another series. */
type Addend<K extends Series['kind']> = Extract<Series | SeriesDelta, { kind: K }>;

/** Identifies a series by its family and label values, which may hold any character. */
export const seriesKey = ({ family, labels }: Pick<Series, 'family' | 'labels'>): string =>
  JSON.stringify([family, ...labels]);

/**
 * The sum of a series and a delta, or of two series; `series` is undefined before the first addition. The sum has the
 * name and labels of what is added. A histogram whose number of buckets has changed restarts from what is added. Pure.
 * @throws {ExporterError} `store` when the two are of different kinds. That is a bug, not a damaged state.
 */
export function fold(series: Series | undefined, added: Series | SeriesDelta): Series {
  if (series !== undefined && series.kind !== added.kind)
    throw new ExporterError('store', `Could not add to series "${added.family}": it is stored as another kind`);
  switch (added.kind) {
    case 'counter':
      return foldCounter(series, added);
    case 'latest':
      return series?.kind === 'latest' && series.at > added.at ? { ...added, at: series.at } : added;
    case 'histogram':
      return foldHistogram(series, added);
  }
}

function foldCounter(series: Series | undefined, added: Addend<'counter'>): Series {
  const { family, labels, kind, held = 0 } = added;
  const before = series?.kind === 'counter' ? series : undefined;
  const value = (before?.value ?? 0n) + ('by' in added ? BigInt(added.by) : added.value);
  const heldNow = (before?.held ?? 0n) + BigInt(held);
  return { family, labels, kind, value, ...(heldNow === 0n ? {} : { held: heldNow }) };
}

function foldHistogram(series: Series | undefined, added: Addend<'histogram'>): Series {
  const { family, labels, kind } = added;
  const more: readonly (number | bigint)[] = added.counts;
  const before = series?.kind === 'histogram' && series.counts.length === more.length ? series : undefined;
  const counts = more.map((count, i) => (before?.counts[i] ?? 0n) + BigInt(count));
  return { family, labels, kind, counts, sumTicks: (before?.sumTicks ?? 0n) + added.sumTicks };
}
