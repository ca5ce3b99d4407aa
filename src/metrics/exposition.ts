import { toSeconds } from '../model/time.js';
import type { Exemplar } from '../pipeline/ports.js';
import type { ExemplarSeries } from './exemplars.js';
import type { Family, Histogram } from './family.js';

/** The text format 0.0.4 of Prometheus, or OpenMetrics 1.0. */
export type Format = 'text' | 'openmetrics';

/** A family as it is served. */
export type ServedFamily = Readonly<{
  /** With `_total` when it is a counter. */
  name: string;
  help: string;
  type: string;
  /** Its samples, each line with its line break. */
  write: (format: Format) => string;
}>;

/**
 * A page of /metrics. Each family is encoded by itself, so that its text can be freed before the next one begins.
 * Source: prometheus.io/docs/instrumenting/exposition_formats and the OpenMetrics 1.0 specification.
 */
export const exposition = (families: readonly ServedFamily[], format: Format): Buffer =>
  Buffer.concat([
    ...families.map(family => Buffer.from(`${head(family, format)}${family.write(format)}`)),
    Buffer.from(format === 'openmetrics' ? '# EOF\n' : ''),
  ]);

/** OpenMetrics writes a counter's name without `_total`, and a unit when the name ends with one. */
function head({ name, help, type }: ServedFamily, format: Format): string {
  if (format === 'text') return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
  const base = type === 'counter' ? name.replace(/_total$/, '') : name;
  const unit = /_(seconds|bytes)$/.exec(base)?.[1];
  const unitLine = unit === undefined ? '' : `# UNIT ${base} ${unit}\n`;
  return `# TYPE ${base} ${type}\n${unitLine}# HELP ${base} ${quotable(help)}\n`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const quotable = (text: string): string => escaped(text).replaceAll('"', '\\"');

/** Label pairs without the braces. */
export const labelText = (names: readonly string[], values: readonly string[]): string =>
  names.map((name, i) => `${name}="${quotable(values[i] ?? '')}"`).join(',');

/** A line up to its value. `labels` as `labelText` writes them. */
export const sampleStart = (name: string, labels: string): string => `${name}${labels === '' ? '' : `{${labels}}`} `;

/** One line. `labels` as `labelText` writes them. */
export const sampleLine = (name: string, labels: string, value: number): string =>
  `${sampleStart(name, labels)}${numberText(value)}\n`;

export function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

/** The value of `le`. OpenMetrics requires a decimal point. */
export function boundText(bound: number | undefined, format: Format): string {
  if (bound === undefined || !Number.isFinite(bound)) return '+Inf';
  return format === 'openmetrics' && Number.isInteger(bound) ? `${String(bound)}.0` : String(bound);
}

/** OpenMetrics' limit for the names and values of an exemplar's labels together, in characters. */
const longestExemplar = 128;

/** The exemplar at the end of a line; `''` in the text format, which has none, and for one over the length limit. */
export function exemplarText(exemplar: Exemplar | undefined, format: Format): string {
  if (exemplar === undefined || format === 'text') return '';
  const { traceId, spanId = '', value, at } = exemplar;
  const length = 'trace_id'.length + traceId.length + (spanId === '' ? 0 : 'span_id'.length + spanId.length);
  if (length > longestExemplar) return '';
  // Ids are hexadecimal digits: there is nothing to quote.
  const span = spanId === '' ? '' : `,span_id="${spanId}"`;
  return ` # {trace_id="${traceId}"${span}} ${numberText(value)} ${String(toSeconds(at))}`;
}

/** Writes all lines of one series. `labels` as `labelText` writes them. */
export type SeriesWriter = (labels: string, value: ExemplarSeries, format: Format) => string;

export function seriesWriter(family: Family): SeriesWriter {
  if (family.type === 'histogram') return histogramWriter(family);
  return (labels, { series, exemplars }, format) => {
    const start = sampleStart(family.name, labels);
    if (series.kind === 'latest') return `${start}${numberText(toSeconds(series.at))}\n`;
    if (series.kind === 'histogram') return '';
    const { value, held } = series;
    if (held === undefined) return `${start}${numberText(Number(value))}${exemplarText(exemplars[0], format)}\n`;
    // An exemplar of an increment that is held back would point at nothing.
    return `${start}${numberText(Number(value - held))}\n`;
  };
}

/** Cumulative buckets, sum and count. */
function histogramWriter({ name, buckets }: Histogram): SeriesWriter {
  const startsIn = (format: Format): readonly string[] =>
    [...buckets, undefined].map(bound => `${name}_bucket{le="${boundText(bound, format)}"`);
  const starts = { text: startsIn('text'), openmetrics: startsIn('openmetrics') };
  return (labels, { series, exemplars }, format) => {
    if (series.kind !== 'histogram') return '';
    const rest = labels === '' ? '} ' : `,${labels}} `;
    let below = 0;
    let lines = '';
    for (const [i, count] of series.counts.entries()) {
      below += Number(count);
      lines += `${starts[format][i] ?? ''}${rest}${String(below)}${exemplarText(exemplars[i], format)}\n`;
    }
    const sum = Number(series.sumTicks) / 1e7;
    return `${lines}${sampleLine(`${name}_sum`, labels, sum)}${sampleLine(`${name}_count`, labels, below)}`;
  };
}
