import { toSeconds } from '../model/time.js';
import type { Family } from '../telemetry/family.js';
import { boundText, exemplarText, type Format, numberText, sampleStart } from './exposition.js';
import type { SeriesValue } from './series-value.js';

/** A series as it is written. */
export type Shown = Readonly<{
  /** Its labels, as `labelText` writes them. */
  labels: string;
  value: SeriesValue;
  /** What of a counter is not served yet; undefined for nothing. */
  held: ReadonlyMap<string, Readonly<{ amount: bigint }>> | undefined;
}>;

/** All lines of a series, each with its line break. */
export type SeriesWriter = (series: Shown, format: Format) => string;

/** What writes the series of a family. */
export function seriesWriter(family: Family): SeriesWriter {
  const { name } = family;
  const histogram = histogramWriter(name, family.type === 'histogram' ? family.buckets : []);
  return ({ labels, value, held }, format) => {
    if (value.kind === 'histogram') return histogram(labels, value, format);
    if (value.kind === 'latest')
      return value.at === undefined ? '' : `${sampleStart(name, labels)}${numberText(toSeconds(value.at))}\n`;
    if (held === undefined)
      return `${sampleStart(name, labels)}${numberText(Number(value.value))}${exemplarText(value.exemplar, format)}\n`;
    // An exemplar of what is not counted yet would point at nothing.
    const heldBack = [...held.values()].reduce((sum, { amount }) => sum + amount, 0n);
    return `${sampleStart(name, labels)}${numberText(Number(value.value - heldBack))}\n`;
  };
}

type HistogramValue = Extract<SeriesValue, { kind: 'histogram' }>;

/** Cumulative buckets, sum and count, as both formats want them. */
function histogramWriter(name: string, buckets: readonly number[]) {
  const startsIn = (format: Format): readonly string[] =>
    [...buckets, undefined].map(bound => `${name}_bucket{le="${boundText(bound, format)}"`);
  const starts = { text: startsIn('text'), openmetrics: startsIn('openmetrics') };
  return (labels: string, { counts, sumTicks, exemplars }: HistogramValue, format: Format): string => {
    const rest = labels === '' ? '} ' : `,${labels}} `;
    let below = 0n;
    let text = '';
    for (const [i, start] of starts[format].entries()) {
      below += counts[i] ?? 0n;
      text += `${start}${rest}${below}${exemplarText(exemplars[i], format)}\n`;
    }
    const [sum, count] = [sampleStart(`${name}_sum`, labels), sampleStart(`${name}_count`, labels)];
    return `${text}${sum}${numberText(Number(sumTicks) / 1e7)}\n${count}${numberText(Number(below))}\n`;
  };
}
