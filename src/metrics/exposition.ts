import { toSeconds } from '../model/time.js';
import type { Exemplar } from '../pipeline/ports.js';

/** How metrics are written: the text format 0.0.4 of Prometheus, or OpenMetrics 1.0. */
export type Format = 'text' | 'openmetrics';

/** Some lines of a page, that are written in one go. */
export type Block = Readonly<{
  /** The lines as they stand, each with its line break. */
  write: (format: Format) => string;
}>;

/** A family as it is served. */
export type ServedFamily = Readonly<{
  /** With `_total` when it is a counter. */
  name: string;
  help: string;
  type: string;
  /** Its samples. */
  blocks: () => readonly Block[];
}>;

/** The whole of a page. Source: prometheus.io/docs/instrumenting/exposition_formats and the OpenMetrics 1.0 specification. */
export const exposition = (families: readonly ServedFamily[]): readonly Block[] => [
  ...families.flatMap(family => [{ write: (format: Format) => head(family, format) }, ...family.blocks()]),
  { write: format => (format === 'openmetrics' ? '# EOF\n' : '') },
];

/** OpenMetrics names a counter without its `_total`, and knows units, which names end with. */
function head({ name, help, type }: ServedFamily, format: Format): string {
  if (format === 'text') return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}\n`;
  const base = type === 'counter' ? name.replace(/_total$/, '') : name;
  const unit = /_(seconds|bytes)$/.exec(base)?.[1];
  const unitLine = unit === undefined ? '' : `# UNIT ${base} ${unit}\n`;
  return `# TYPE ${base} ${type}\n${unitLine}# HELP ${base} ${quotable(help)}\n`;
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const quotable = (text: string): string => escaped(text).replaceAll('"', '\\"');

/** The labels of a sample as they are written, without the braces. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, i) => `${name}="${quotable(values[i] ?? '')}"`).join(',');
}

/** The part of a line that never changes. `labels` as `labelText` writes them. */
export const sampleStart = (name: string, labels: string): string => `${name}${labels === '' ? '' : `{${labels}}`} `;

/** One line. `labels` as `labelText` writes them. */
export const sampleLine = (name: string, labels: string, value: number): string =>
  `${sampleStart(name, labels)}${numberText(value)}\n`;

/** A value as it is written. */
export function numberText(value: number): string {
  if (Number.isFinite(value) || Number.isNaN(value)) return String(value);
  return value > 0 ? '+Inf' : '-Inf';
}

/** The value of `le`. OpenMetrics wants a floating point number to look like one. */
export function boundText(bound: number | undefined, format: Format): string {
  if (bound === undefined || !Number.isFinite(bound)) return '+Inf';
  return format === 'openmetrics' && Number.isInteger(bound) ? `${String(bound)}.0` : String(bound);
}

/** What OpenMetrics allows the names and values of an exemplar's labels together, in characters. */
const longestExemplar = 128;

/** The end of a line that has an exemplar; `''` in a format that knows none, and for one that would break the page. */
export function exemplarText(exemplar: Exemplar | undefined, format: Format): string {
  if (exemplar === undefined || format === 'text') return '';
  const { traceId, spanId = '', value, at } = exemplar;
  const length = 'trace_id'.length + traceId.length + (spanId === '' ? 0 : 'span_id'.length + spanId.length);
  if (length > longestExemplar) return '';
  // Ids are hexadecimal digits: there is nothing to quote.
  const span = spanId === '' ? '' : `,span_id="${spanId}"`;
  return ` # {trace_id="${traceId}"${span}} ${numberText(value)} ${String(toSeconds(at))}`;
}
