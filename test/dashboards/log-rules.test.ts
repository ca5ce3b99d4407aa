import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { logDetections } from '../../dashboards/src/detections/log-detections.js';
import { logRuleFiles } from '../../dashboards/src/detections/log-rules.js';
import { sigmaFiles } from '../../dashboards/src/detections/sigma.js';
import { misuseCases, recordOf } from '../support/misuse-records.js';
import type { Line } from '../support/loki-receiver.js';
import { logql } from './languages.js';
import { vectorOf } from './logql-evaluator.js';

type Rule = Readonly<{ alert: string; expr: string }>;
type RuleFile = Readonly<{ groups: readonly Readonly<{ type?: string; rules: readonly Rule[] }>[] }>;

const rulesOf = (store: string): readonly Rule[] =>
  (parse(readFileSync(`dashboards/detections/${store}/vb365-misuse.yml`, 'utf8')) as RuleFile).groups.flatMap(
    ({ rules }) => rules,
  );
const lokiRules = rulesOf('loki');

const lineOf = (at: string, attributes: Readonly<Record<string, string>>): Line => ({
  at: String(BigInt(Date.parse(at)) * 1_000_000n),
  text: 'text',
  labels: Object.fromEntries(Object.entries(attributes).map(([name, value]) => [name.replaceAll('.', '_'), value])),
});

test.each([...logRuleFiles(), ...sigmaFiles()])('$path is what the code says', ({ path, text }) => {
  expect(readFileSync(path, 'utf8')).toBe(text);
});

test('each detection is a rule for Loki and for VictoriaLogs, and a file of Sigma', () => {
  const names = logDetections.map(({ name }) => name);
  expect(lokiRules.map(({ alert }) => alert)).toEqual(names);
  expect(rulesOf('victorialogs').map(({ alert }) => alert)).toEqual(names);
  expect(sigmaFiles()).toHaveLength(names.length + 3);
});

test.each(lokiRules)('$alert is LogQL', ({ expr }) => {
  expect(logql(expr).valid).toBe(true);
});

describe('in LogQL, as the evaluator of the tests understands it', () => {
  test.each(misuseCases)('$alert: $says', ({ alert, records, at, names }) => {
    const lines = records.map(([time, over]) => lineOf(time, recordOf(over)));
    const { expr = '' } = lokiRules.find(rule => rule.alert === alert) ?? {};
    const found = vectorOf(expr, { lines, at: Date.parse(at) / 1000 });
    expect(found.map(({ labels }) => labels['initiator'])).toEqual(names);
    for (const { labels } of found) expect(labels['server']).toBe('hq');
  });
});

describe('every detection by log records', () => {
  const named = logDetections.map(detection => [detection.name, detection] as const);

  test.each(named)('%s is tried where it has to fire, and where it has to be silent', name => {
    const own = misuseCases.filter(({ alert }) => alert === name);
    expect(own.some(({ names }) => names.length > 0)).toBe(true);
    expect(own.some(({ names }) => names.length === 0)).toBe(true);
  });

  test.each(named)('%s names its labels only, and techniques of ATT&CK', (_, detection) => {
    const { query, summary, description, about, attack } = detection;
    const labels = query.by.map(({ attribute, as, lowerCaseAs }) => lowerCaseAs ?? as ?? attribute);
    const used = [...`${summary} ${description}`.matchAll(/\$labels\.(\w+)/g)].map(([, label]) => label);
    expect(labels).toEqual(expect.arrayContaining([...used, ...about]));
    for (const label of about) expect(summary).toContain(`{{ $labels.${label} }}`);
    for (const technique of attack) expect(technique).toMatch(/^T\d{4}(?:\.\d{3})?$/);
  });
});
