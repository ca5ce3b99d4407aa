import { toSeconds } from '../model/time.js';
import type { Exemplar } from '../pipeline/ports.js';

/** How metrics are written: the text format 0.0.4 of Prometheus, or OpenMetrics 1.0. */
export type Format = 'text' | 'openmetrics';

/** A family as it is served. */
export type ServedFamily = Readonly<{
  /** With `_total` when it is a counter. */
  name: string;
  help: string;
  type: string;
  /** One for each sample, without line breaks. */
  lines: (format: Format) => readonly string[];
}>;

/** The whole of a page. Source: prometheus.io/docs/instrumenting/exposition_formats and the OpenMetrics 1.0 specification. */
export function exposition(families: readonly ServedFamily[], format: Format): string {
  const lines = families.flatMap(family => [...head(family, format), ...family.lines(format)]);
  return `${[...lines, ...(format === 'openmetrics' ? ['# EOF'] : [])].join('\n')}\n`;
}

/** OpenMetrics names a counter without its `_total`, and knows units, which names end with. */
function head({ name, help, type }: ServedFamily, format: Format): readonly string[] {
  if (format === 'text') return [`# HELP ${name} ${escaped(help)}`, `# TYPE ${name} ${type}`];
  const base = type === 'counter' ? name.replace(/_total$/, '') : name;
  const unit = /_(seconds|bytes)$/.exec(base)?.[1];
  return [
    `# TYPE ${base} ${type}`,
    ...(unit === undefined ? [] : [`# UNIT ${base} ${unit}`]),
    `# HELP ${base} ${quotable(help)}`,
  ];
}

const escaped = (text: string): string => text.replaceAll('\\', '\\\\').replaceAll('\n', '\\n');
const quotable = (text: string): string => escaped(text).replaceAll('"', '\\"');

/** The labels of a sample as they are written, without the braces. */
export function labelText(names: readonly string[], values: readonly string[]): string {
  return names.map((name, i) => `${name}="${quotable(values[i] ?? '')}"`).join(',');
}

/** One line. `labels` as `labelText` writes them. */
export function sampleLine(name: string, labels: string, value: number, exemplar = ''): string {
  return `${name}${labels === '' ? '' : `{${labels}}`} ${numberText(value)}${exemplar}`;
}

function numberText(value: number): string {
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
  const { traceId, spanId, value, at } = exemplar;
  const labels = [['trace_id', traceId] as const, ...(spanId === undefined ? [] : [['span_id', spanId] as const])];
  if (labels.flat().join('').length > longestExemplar) return '';
  const names = labels.map(([name]) => name);
  const values = labels.map(([, text]) => text);
  return ` # {${labelText(names, values)}} ${numberText(value)} ${String(toSeconds(at))}`;
}
