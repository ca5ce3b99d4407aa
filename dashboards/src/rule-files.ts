import { stringify } from 'yaml';
import { deliveryAlerts } from './delivery-alerts.js';
import { misuseAlerts } from './detections/misuse-alerts.js';
import { exporterAlerts } from './exporter-alerts.js';
import { recordings } from './recordings.js';
import { restoreAlerts } from './restore-alerts.js';
import { type Alert, annotationsOf } from './rule.js';
import { serverAlerts } from './server-alerts.js';

/** A generated file. */
export type GeneratedFile = Readonly<{ path: string; text: string }>;

export const alerts: readonly Alert[] = [
  ...restoreAlerts,
  ...serverAlerts,
  ...deliveryAlerts,
  ...exporterAlerts,
  ...misuseAlerts,
];

const header = '# Written by "npm run docs" from dashboards/src; do not edit.\n';

/** YAML with unwrapped lines and block scalars for texts of several lines. */
export const generatedYaml = (value: unknown): string =>
  header + stringify(value, { lineWidth: 0, aliasDuplicateObjects: false });

const ruleOf = (alert: Alert) => ({
  alert: alert.name,
  expr: alert.expr,
  ...(alert.for === undefined ? {} : { for: alert.for }),
  ...(alert.keepFiringFor === undefined ? {} : { keep_firing_for: alert.keepFiringFor }),
  labels: { severity: severityOf(alert), component: alert.component },
  annotations: annotationsOf(alert),
});

/** The label, which Prometheus renders as a template. */
const severityOf = ({ severity, milder }: Alert): string =>
  milder === undefined
    ? severity
    : `{{ if eq $labels.${milder.label} "${milder.value}" }}${milder.severity}{{ else }}${severity}{{ end }}`;

const alertGroups = {
  restore: restoreAlerts,
  server: serverAlerts,
  delivery: deliveryAlerts,
  exporter: exporterAlerts,
  security: misuseAlerts,
};
const recordingGroup = 'vb365.recordings';
const nameOfGroup = (name: string): string => `vb365-${name}.alerts`;

/** The groups of rules; alerts read what the recordings have written. */
export const groupNames: readonly string[] = [recordingGroup, ...Object.keys(alertGroups).map(nameOfGroup)];

const groupOf = (name: string, of: readonly Alert[]) => ({ name: nameOfGroup(name), rules: of.map(ruleOf) });

/** The rule files. Groups have no interval, so that the evaluation_interval of Prometheus applies. */
export function ruleFiles(): readonly GeneratedFile[] {
  const recorded = {
    name: recordingGroup,
    rules: recordings.map(({ name, expr }) => ({ record: name, expr })),
  };
  const groups = Object.entries(alertGroups).map(([name, of]) => groupOf(name, of));
  return [
    { path: 'dashboards/prometheus/vb365-recordings.yml', text: generatedYaml({ groups: [recorded] }) },
    { path: 'dashboards/prometheus/vb365-alerts.yml', text: generatedYaml({ groups }) },
  ];
}
