import { changeFeedCases } from './change-feed-cases.js';
import { deliveryCases } from './delivery-cases.js';
import { misuseCases, quietMisuseCases } from './detections/misuse-cases.js';
import { exporterCases } from './exporter-cases.js';
import { restoreCases } from './restore-cases.js';
import { type Case, testOf } from './rule-case.js';
import { alerts, type GeneratedFile, generatedYaml, groupNames } from './rule-files.js';
import { serverCases } from './server-cases.js';
import { trustCases } from './trust-cases.js';
import { quietCases, volumeCases } from './volume-cases.js';

export const cases: readonly Case[] = [
  ...restoreCases,
  ...volumeCases,
  ...quietCases,
  ...serverCases,
  ...changeFeedCases,
  ...trustCases,
  ...deliveryCases,
  ...exporterCases,
  ...misuseCases,
  ...quietMisuseCases,
];

/** promtool test files with the evaluation interval and the cases. */
const files = {
  restore: { every: '1m', of: restoreCases },
  quiet: { every: '30m', of: quietCases },
  'quiet-misuse': { every: '30m', of: quietMisuseCases },
  security: { every: '1m', of: misuseCases },
  volume: { every: '5m', of: volumeCases },
  server: { every: '1m', of: [...serverCases, ...changeFeedCases] },
  trust: { every: '1m', of: trustCases },
  delivery: { every: '1m', of: deliveryCases },
  exporter: { every: '1m', of: exporterCases },
} as const;

export const ruleTestFiles = (): readonly GeneratedFile[] =>
  Object.entries(files).map(([name, { every, of }]) => ({
    path: `dashboards/prometheus/tests/${name}.yml`,
    text: generatedYaml({
      rule_files: ['../vb365-recordings.yml', '../vb365-alerts.yml'],
      evaluation_interval: every,
      group_eval_order: groupNames,
      tests: of.map(one => testOf(one, alertOf(one))),
    }),
  }));

function alertOf({ alert }: Case) {
  const found = alerts.find(({ name }) => name === alert);
  if (found === undefined) throw new Error(`A case is about the alert "${alert}", which does not exist`);
  return found;
}
