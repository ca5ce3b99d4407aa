import { families } from './catalogue.js';
import type { Family } from './family.js';

const intro = `# Metrics

Generated from the catalogue in \`src/telemetry\`; do not edit. Beside these, the exporter serves \`process_*\` and \`nodejs_*\` of itself.
A label \`server\` holds the name of a server in the configuration. Families that are kept across restarts go on where they were; the others begin anew.
`;

/** The text of docs/METRICS.md: every family, what it means, and a query to begin with. */
export function metricsMarkdown(): string {
  return [intro, ...families.map(section)].join('\n');
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
  ];
}

function labelText({ known }: Family, label: string): string {
  const values = known?.[label];
  return values === undefined ? `\`${label}\`` : `\`${label}\` (${values.map(value => `\`${value}\``).join(' ')})`;
}
