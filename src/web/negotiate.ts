/** How metrics can be written: the text format 0.0.4 of Prometheus, or OpenMetrics 1.0. */
export type MetricsFormat = 'text' | 'openmetrics';

export const contentTypes: Readonly<Record<MetricsFormat, string>> = {
  text: 'text/plain; version=0.0.4; charset=utf-8',
  openmetrics: 'application/openmetrics-text; version=1.0.0; charset=utf-8',
};

type Range = Readonly<{ type: string; version: string; quality: number }>;

/**
 * The format that an `Accept` header likes best of those we write; of equals the one named first, and the text format
 * where none is named: a scrape is always answered. Parameters other than `version` and `q` do not matter: Prometheus 3
 * sends `escaping`, which plain names do not need.
 */
export function formatOf(accept = ''): MetricsFormat {
  const liked = accept
    .split(',')
    .map(rangeOf)
    .filter(({ quality }) => quality > 0)
    .toSorted((a, b) => b.quality - a.quality);
  return liked.map(formatIn).find(format => format !== undefined) ?? 'text';
}

function rangeOf(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map(part => part.trim().toLowerCase());
  const named = new Map(parameters.map(parameter => parameter.split('=').map(part => part.trim())).map(pairOf));
  const quality = named.has('q') ? Number(named.get('q')) : 1;
  return { type, version: named.get('version') ?? '', quality: quality >= 0 && quality <= 1 ? quality : 0 };
}

const pairOf = ([name = '', value = '']: readonly string[]): readonly [string, string] => [
  name,
  value.replace(/^"(.*)"$/, '$1'),
];

function formatIn({ type, version }: Range): MetricsFormat | undefined {
  switch (type) {
    case 'application/openmetrics-text':
      return version === '' || version === '1.0.0' ? 'openmetrics' : undefined;
    case 'text/plain':
      return version === '' || version === '0.0.4' ? 'text' : undefined;
    case 'text/*':
    case '*/*':
      return 'text';
    default:
      return undefined;
  }
}
