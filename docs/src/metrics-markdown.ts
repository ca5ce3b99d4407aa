import { families } from '../../src/metrics/catalogue.js';
import type { Family } from '../../src/metrics/family.js';
import { fullUse, ownSeriesCount, typicalUse, seriesCount, type Use } from './series-count.js';

const intro = (): string => `# Metrics

Generated from the catalogue in \`src/metrics\`; do not edit. The exporter also serves \`process_*\` and \`nodejs_*\` metrics about itself.
The label \`server\` holds the name of a server in the configuration. Metrics that are kept across restarts continue at their last value; the others restart at 0.

\`/metrics\` is served in the text format 0.0.4, or as OpenMetrics 1.0 to clients that ask for it, with exemplars that link to the trace and the log record of an event. Both formats can be compressed with gzip.

## How many series

Series of one server whose logs and traces are sent, with every bucket of a histogram counted as one series. Organizations beyond \`metrics.max_organizations\` (1000 per server) share the label value \`overflow\`. With \`metrics.organization_label: false\` there are as many series as for one organization.

${seriesTable()}

Typical: each organization restores from one workload, with one event type, and has successes and failures. Worst case: every event type and status occurred in every workload of every organization. Without organizations (0): an idle v8 server.

The exporter itself has ${String(ownSeriesCount())} more series, whatever the number of servers: \`vb365_state_errors_total\`, \`vb365_web_logins_refused_total\`, \`vb365_config_*\` and \`vb365_build_info\`.
[Replicas](REPLICAS.md) have \`vb365_lease_*\` on top: six series, and one for each server that the replica holds.
Their counters and histograms of a server have the additional label \`lease\`.
`;

function seriesTable(): string {
  const sizes = [0, 1, 100, 1000];
  const row = (title: string, use: Use): readonly string[] => [
    title,
    ...sizes.map(size => seriesCount(size, use).toLocaleString('en')),
  ];
  return table([
    ['Organizations', ...sizes.map(size => size.toLocaleString('en'))],
    row('Typical', typicalUse),
    row('Worst case', fullUse),
  ]);
}

/** A Markdown table. The first row is the head; all columns but the first are numbers. */
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

/** The text of docs/METRICS.md. */
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
    ['Kept across restarts', family.stored === true ? 'yes' : 'no'],
    ...(family.onFirstUse === true ? [['Series', 'created on first use'] as const] : []),
    ...(family.held === true ? [['First increment', 'held back until the series has been scraped'] as const] : []),
  ];
}

function labelText({ known }: Family, label: string): string {
  const values = known?.[label];
  return values === undefined ? `\`${label}\`` : `\`${label}\` (${values.map(value => `\`${value}\``).join(' ')})`;
}
