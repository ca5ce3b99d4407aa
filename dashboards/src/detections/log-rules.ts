import { logqlAlert } from '../grafana/logql.js';
import { logsqlAlert } from '../grafana/logsql.js';
import { annotationsOf } from '../rule.js';
import { type GeneratedFile, generatedYaml } from '../rule-files.js';
import type { LogDetection } from './detection.js';
import { logDetections } from './log-detections.js';

/** How often the rules are evaluated: a detection and its notification fit into a minute. */
const interval = '30s';

const ruleOf = (detection: LogDetection, expr: string) => ({
  alert: detection.name,
  expr,
  labels: { severity: detection.severity, component: 'security' },
  annotations: annotationsOf(detection),
});

const groupOf = (kind: object, exprOf: (detection: LogDetection) => string) => ({
  groups: [
    {
      name: 'vb365-misuse.alerts',
      ...kind,
      interval,
      rules: logDetections.map(detection => ruleOf(detection, exprOf(detection))),
    },
  ],
});

/** VictoriaLogs shows a record after about a second; the defaults, for metrics, would look 30 to 60 s back. */
const ofVmalert = { type: 'vlogs', eval_delay: '1s', eval_alignment: false };

/** The log rules: for the ruler of Loki, and for vmalert with VictoriaLogs. */
export const logRuleFiles = (): readonly GeneratedFile[] => [
  {
    path: 'dashboards/detections/loki/vb365-misuse.yml',
    text: generatedYaml(groupOf({}, ({ query }) => logqlAlert(query))),
  },
  {
    path: 'dashboards/detections/victorialogs/vb365-misuse.yml',
    text: generatedYaml(groupOf(ofVmalert, ({ query }) => logsqlAlert(query))),
  },
];
