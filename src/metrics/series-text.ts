import { toSeconds } from '../model/time.js';
import type { Family } from './family.js';
import { boundText, exemplarText, type Format, labelText, numberText, sampleStart } from './exposition.js';
import type { SeriesValue } from './series-value.js';

/** A series as it is written. */
export type Shown = Readonly<{
  /** The end of what never changes of its lines; see `tail`. */
  tail: string;
  value: SeriesValue;
  /** What of a counter is not served yet; undefined for nothing. */
  held: ReadonlyMap<string, Readonly<{ amount: bigint }>> | undefined;
}>;

/**
 * Writes the series of a family. A line is an opening, which all series share, a tail, which all lines of a series share,
 * and a value: the fewer pieces, the sooner a page of 50,000 series is put together.
 */
export type SeriesText = Readonly<{
  /** Made once, when the series comes into being. */
  tail: (labels: readonly string[]) => string;
  /** All lines of a series, each with its line break. */
  write: (series: Shown, format: Format) => string;
}>;

/** @param labels those that are shown. */
export function seriesText(family: Family, labels: readonly string[]): SeriesText {
  const opening: Opening = (name, bound = '') =>
    labels.length === 0 ? sampleStart(name, bound) : `${name}{${bound === '' ? '' : `${bound},`}`;
  return {
    tail: values => (labels.length === 0 ? '' : `${labelText(labels, values)}} `),
    write: family.type === 'histogram' ? histogramWriter(family, opening) : plainWriter(opening(family.name)),
  };
}

/** @param bound the label `le` of a bucket. */
type Opening = (name: string, bound?: string) => string;

function plainWriter(opening: string): SeriesText['write'] {
  return ({ tail, value, held }, format) => {
    if (value.kind === 'latest')
      return value.at === undefined ? '' : `${opening}${tail}${numberText(toSeconds(value.at))}\n`;
    if (value.kind === 'histogram') return '';
    if (held === undefined)
      return `${opening}${tail}${numberText(Number(value.value))}${exemplarText(value.exemplar, format)}\n`;
    // An exemplar of what is not counted yet would point at nothing.
    const heldBack = [...held.values()].reduce((sum, { amount }) => sum + amount, 0n);
    return `${opening}${tail}${numberText(Number(value.value - heldBack))}\n`;
  };
}

/** Cumulative buckets, sum and count, as both formats want them. */
function histogramWriter(
  { name, buckets }: Extract<Family, { type: 'histogram' }>,
  opening: Opening,
): SeriesText['write'] {
  const openingsIn = (format: Format): readonly string[] =>
    [...buckets, undefined].map(bound => opening(`${name}_bucket`, `le="${boundText(bound, format)}"`));
  const openings = { text: openingsIn('text'), openmetrics: openingsIn('openmetrics') };
  const [sum, count] = [opening(`${name}_sum`), opening(`${name}_count`)];
  return ({ tail, value }, format) => {
    if (value.kind !== 'histogram') return '';
    let below = 0;
    let text = '';
    for (const [i, bucket] of openings[format].entries()) {
      below += Number(value.counts[i]);
      text += `${bucket}${tail}${numberText(below)}${exemplarText(value.exemplars[i], format)}\n`;
    }
    const seconds = numberText(Number(value.sumTicks) / 1e7);
    return `${text}${sum}${tail}${seconds}\n${count}${tail}${numberText(below)}\n`;
  };
}
