import { ExporterError } from '../kernel/errors.js';
import type { Series, SeriesDelta } from '../pipeline/ports.js';

type Delta<Kind extends SeriesDelta['kind']> = Extract<SeriesDelta, { kind: Kind }>;

/**
 * A stored series with a change applied; `known` is undefined for its first change. A histogram whose buckets are no
 * longer the stored ones starts anew: its old counts fit no bucket of today.
 * @throws {ExporterError} `store` when the family has become another kind: that is a fault of ours, not of the state.
 */
export function fold(known: Series | undefined, delta: SeriesDelta): Series {
  if (known !== undefined && known.kind !== delta.kind)
    throw new ExporterError('store', `Could not add to series "${delta.family}": it is stored as another kind`);
  switch (delta.kind) {
    case 'counter':
      return foldCounter(known, delta);
    case 'latest':
      return foldLatest(known, delta);
    case 'histogram':
      return foldHistogram(known, delta);
  }
}

function foldCounter(known: Series | undefined, { family, labels, by, held = 0 }: Delta<'counter'>): Series {
  const before = known?.kind === 'counter' ? known : undefined;
  const heldNow = (before?.held ?? 0n) + BigInt(held);
  const value = (before?.value ?? 0n) + BigInt(by);
  return { family, labels, kind: 'counter', value, ...(heldNow === 0n ? {} : { held: heldNow }) };
}

function foldLatest(known: Series | undefined, { family, labels, at }: Delta<'latest'>): Series {
  return { family, labels, kind: 'latest', at: known?.kind === 'latest' && known.at > at ? known.at : at };
}

function foldHistogram(known: Series | undefined, { family, labels, counts, sumTicks }: Delta<'histogram'>): Series {
  const kept = known?.kind === 'histogram' && known.counts.length === counts.length ? known : undefined;
  return {
    family,
    labels,
    kind: 'histogram',
    counts: counts.map((count, index) => (kept?.counts[index] ?? 0n) + BigInt(count)),
    sumTicks: (kept?.sumTicks ?? 0n) + sumTicks,
  };
}

/** What tells one series from every other; label values may hold anything. */
export const seriesKey = ({ family, labels }: Pick<Series, 'family' | 'labels'>): string =>
  JSON.stringify([family, ...labels]);
