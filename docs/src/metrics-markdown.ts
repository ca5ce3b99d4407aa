import { families } from '../../src/metrics/catalogue.js';
import type { Family } from '../../src/metrics/family.js';
import { fullUse, plainUse, seriesCount, type Use } from './series-count.js';

const intro = (): string => `# Metrics

Generated from the catalogue in \`src/telemetry\`; do not edit. Beside these, the exporter serves \`process_*\` and \`nodejs_*\` of itself.
A label \`server\` holds the name of a server in the configuration. Families that are kept across restarts go on where they were; the others begin anew.

\`/metrics\` is served as OpenMetrics 1.0 to whoever asks for it, with exemplars that lead to the trace and the log record of an event, else in the text format 0.0.4; both also compressed with gzip.

## How many series

Series of one server whose logs are sent, every bucket of a histogram counted as one. Beyond \`metrics.max_organizations\` (1000 for each server) organizations are counted under \`overflow\`; with \`metrics.organization_label: false\` there are as many series as for one organization.

${seriesTable()}

The first line: each organization restores from one workload, in one way, with successes and failures. The second: everything that can happen has happened to everyone.
`;

function seriesTable(): string {
  const sizes = [0, 1, 100, 1000];
  const row = (title: string, use: Use): readonly string[] => [
    title,
    ...sizes.map(size => seriesCount(size, use).toLocaleString('en')),
  ];
  return table([
    ['Organizations', ...sizes.map(size => size.toLocaleString('en'))],
    row('Plain use', plainUse),
    row('At most', fullUse),
  ]);
}

/** A table with its first column to the left and numbers to the right. The first row is its head. */
function table(rows: readonly (readonly string[])[]): string {
  const [head = []] = rows;
  const widths = head.map((_, i) => Math.max(...rows.map(row => row[i]?.length ?? 0), 3));
  const rule = widths.map((width, i) => (i === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  const padded = rows.map(row =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0))),
  );
  return padded
    .toSpliced(1, 0, rule)
    .map(cells => `| ${cells.join(' | ')} |`)
    .join('\n');
}

/** The text of docs/METRICS.md: every family, what it means, and a query to begin with. */
export function metricsMarkdown(): string {
  return [intro(), ...families.map(section)].join('\n');
}

function section(family: Family): string {
  return `## \`${family.name}\`

${family.help}

${facts(family)
  .map(([what, value]) => `- ${what}: ${value}\n`)
  .join('')}
\`\`\`promql
${family.example}
\`\`\`
`;
}

function facts(family: Family): readonly (readonly [string, string])[] {
  return [
    ['Type', family.type],
    ['Unit', family.unit],
    ['Labels', family.labels.length === 0 ? 'none' : family.labels.map(label => labelText(family, label)).join(', ')],
    ...(family.type === 'histogram' ? [['Buckets', family.buckets.join(' ')] as const] : []),
    ['Kept across restarts', family.stored ? 'yes' : 'no'],
    ...(family.held === true ? [['First increment', 'held back until the series has been scraped'] as const] : []),
  ];
}

function labelText({ known }: Family, label: string): string {
  const values = known?.[label];
  return values === undefined ? `\`${label}\`` : `\`${label}\` (${values.map(value => `\`${value}\``).join(' ')})`;
}
