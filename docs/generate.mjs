// Writes the documents, dashboards, alert rules and their tests that are generated from the code. Run by `npm run docs`, which builds first.
import { writeFileSync } from 'node:fs';
import { alertsMarkdown } from '../dist/dashboards/src/alerts-markdown.js';
import { dashboardFiles } from '../dist/dashboards/src/grafana/dashboard-files.js';
import { ruleFiles } from '../dist/dashboards/src/rule-files.js';
import { ruleTestFiles } from '../dist/dashboards/src/rule-tests.js';
import { configDocs } from '../dist/src/config/document.js';
import { logsMarkdown } from '../dist/src/telemetry/logs-markdown.js';
import { metricsMarkdown } from '../dist/src/telemetry/metrics-markdown.js';

const documents = [
  ...configDocs(),
  { path: 'docs/METRICS.md', text: metricsMarkdown() },
  { path: 'docs/ALERTS.md', text: alertsMarkdown() },
  { path: 'docs/LOGS.md', text: logsMarkdown() },
  ...ruleFiles(),
  ...ruleTestFiles(),
  ...dashboardFiles(),
];
for (const { path, text } of documents) writeFileSync(new URL(`../${path}`, import.meta.url), text);
