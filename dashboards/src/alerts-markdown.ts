import { type Alert, components, type Component, grafanaBase, runbookBase } from './rule.js';
import { alerts } from './rule-files.js';

const owners: Readonly<Record<Component, string>> = {
  restore: 'Restores',
  server: 'VB365 servers and polls',
  delivery: 'Delivery',
  exporter: 'The exporter',
  security: 'Misuse (see also the log rules in [DETECTIONS](DETECTIONS.md))',
};

/** The text of docs/ALERTS.md: how to load the rules, which addresses to set, and every alert. */
export const alertsMarkdown = (): string => `# Alerts

Generated from \`dashboards/src\`; do not edit.

\`\`\`yaml
# prometheus.yml
rule_files:
  - dashboards/prometheus/*.yml
\`\`\`

The rules need Prometheus 2.42 or later. The alerts cover every scrape job with \`vb365\` in its name. Server names must be unique in one
Prometheus: the rules aggregate \`job\`, \`instance\`, \`pod\` and \`lease\` away, so that nothing fires or resolves when a server moves to another replica. [dashboards/alertmanager](../dashboards/alertmanager) has routes,
inhibition rules and templates.

## Set two addresses

Each alert links to its runbook and to a dashboard. The rules contain two placeholder addresses: \`${runbookBase}\` for the
pages of [dashboards/runbooks](../dashboards/runbooks), and \`${grafanaBase}\` for your Grafana. This command replaces them:

\`\`\`sh
sed -e 's|${runbookBase}|https://wiki.example.net/vb365|' -e 's|${grafanaBase}|https://grafana.example.net|' dashboards/prometheus/vb365-alerts.yml > vb365-alerts.yml
\`\`\`

## Every alert

Thresholds are in \`dashboards/src/thresholds.ts\`; \`npm run docs\` regenerates the rules and their tests.

${components.map(section).join('\n')}`;

const section = (component: Component): string => `### ${owners[component]}

${alerts
  .filter(alert => alert.component === component)
  .map(line)
  .join('\n')}
`;

const line = ({ name, severity, milder, summary, for: lasting }: Alert): string =>
  `- [${name}](../dashboards/runbooks/${name}.md) (${[severity, ...milderOf(milder), ...(lasting === undefined ? [] : [`after ${lasting}`])].join(', ')}): ${shown(summary)}`;

const milderOf = (milder: Alert['milder']): readonly string[] =>
  milder === undefined ? [] : [`${milder.severity} for ${milder.label} \`${milder.value}\``];

/** A summary with the names of labels in place of their values. */
const shown = (summary: string): string =>
  summary
    .replace(/\{\{ with \$labels\.(\w+) \}\}(.*?)\{\{ \. \}\}\{\{ end \}\}/g, '$2`$1`')
    .replace(/\{\{ \$labels\.(\w+) \}\}/g, '`$1`');
