// Writes the documents, dashboards, alert rules, their tests and what the chart takes from them. Run by `npm run docs`, which builds first.
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { alertsMarkdown } from '../dist/dashboards/src/alerts-markdown.js';
import { chartFiles, copiesInChart } from '../dist/dashboards/src/chart-files.js';
import { detectionsMarkdown } from '../dist/dashboards/src/detections/detections-markdown.js';
import { logRuleFiles } from '../dist/dashboards/src/detections/log-rules.js';
import { sigmaFiles } from '../dist/dashboards/src/detections/sigma.js';
import { dashboardFiles } from '../dist/dashboards/src/grafana/dashboard-files.js';
import { ruleFiles } from '../dist/dashboards/src/rule-files.js';
import { ruleTestFiles } from '../dist/dashboards/src/rule-tests.js';
import { configDocs } from '../dist/docs/src/config-markdown.js';
import { logsMarkdown } from '../dist/docs/src/logs-markdown.js';
import { metricsMarkdown } from '../dist/docs/src/metrics-markdown.js';

const documents = [
  ...(await configDocs()),
  { path: 'docs/METRICS.md', text: metricsMarkdown() },
  { path: 'docs/ALERTS.md', text: alertsMarkdown() },
  { path: 'docs/LOGS.md', text: logsMarkdown() },
  { path: 'docs/DETECTIONS.md', text: detectionsMarkdown() },
  ...ruleFiles(),
  ...ruleTestFiles(),
  ...dashboardFiles(),
  ...logRuleFiles(),
  ...sigmaFiles(),
];
const at = path => new URL(`../${path}`, import.meta.url);
const write = ({ path, text }) => {
  mkdirSync(new URL('.', at(path)), { recursive: true });
  writeFileSync(at(path), text);
};
documents.forEach(write);

// Last, because the chart holds copies of what was just written; those of a file that is gone go too.
const root = fileURLToPath(at(''));
for (const path of copiesInChart(root)) rmSync(at(path));
chartFiles(root).forEach(write);
