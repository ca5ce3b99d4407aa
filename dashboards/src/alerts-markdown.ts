import { type Alert, components, type Component, grafanaBase, runbookBase } from './rule.js';
import { alerts } from './rule-files.js';

const owners: Readonly<Record<Component, string>> = {
  restore: 'Restores: for whoever looks after backups',
  server: 'The VB365 server, and reading from it',
  delivery: 'Delivery of log records and spans',
  exporter: 'The exporter itself',
};

/** The text of docs/ALERTS.md: how to use the rules, which addresses to put in, and every alert. */
export const alertsMarkdown = (): string => `# Alerts

Generated from \`dashboards/src\`; do not edit.

\`\`\`yaml
# prometheus.yml
rule_files:
  - dashboards/prometheus/*.yml
\`\`\`

Every job that scrapes the exporter needs \`vb365\` in its name. [dashboards/alertmanager](../dashboards/alertmanager) has routes,
inhibition and templates.

## Two addresses to put in

Alerts lead to their runbook and to a dashboard. Where you keep these, only you know, so the rules hold two addresses that lead
nowhere: \`${runbookBase}\`, for the pages of [dashboards/runbooks](../dashboards/runbooks), and \`${grafanaBase}\`, for
the Grafana that has the dashboards. One command writes the rules with yours:

\`\`\`sh
sed -e 's|${runbookBase}|https://wiki.example.net/vb365|' -e 's|${grafanaBase}|https://grafana.example.net|' dashboards/prometheus/vb365-alerts.yml > vb365-alerts.yml
\`\`\`

## Every alert

Thresholds are in \`dashboards/src/thresholds.ts\`; \`npm run docs\` writes the rules and their tests anew.

${components.map(section).join('\n')}`;

const section = (component: Component): string => `### ${owners[component]}

${alerts
  .filter(alert => alert.component === component)
  .map(line)
  .join('\n')}
`;

const line = ({ name, severity, summary, for: lasting }: Alert): string =>
  `- [${name}](../dashboards/runbooks/${name}.md) (${severity}${lasting === undefined ? '' : `, after ${lasting}`}): ${summary}`;
