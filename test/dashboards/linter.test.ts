import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parse } from 'yaml';
import { type Board, type BoardPanel, boards, folder, type Target } from './boards.js';
import { type Finding, lint, ruleNames } from './linter.js';

type Entry = Readonly<{ dashboard: string; panel?: string; reason: string }>;
type Exceptions = Readonly<{ exclusions: Readonly<Record<string, Readonly<{ entries: readonly Entry[] }>>> }>;

const { exclusions } = parse(readFileSync(`${folder}/.lint`, 'utf8')) as Exceptions;
const exceptions = Object.entries(exclusions).flatMap(([rule, { entries }]) =>
  entries.map(entry => ({ ...entry, rule })),
);

type Place = Readonly<{ rule: string; dashboard: string; panel?: string }>;
const at = (place: Place) => (one: Place) =>
  one.rule === place.rule && one.dashboard === place.dashboard && one.panel === place.panel;

const named = boards.map(board => [board.title, board] as const);

describe('dashboard-linter', () => {
  test('has 17 rules', () => {
    expect(new Set(ruleNames).size).toBe(17);
  });

  test.each(named)('%s breaks no rule, but where .lint says why', (_, board) => {
    expect(lint(board).filter(finding => !exceptions.some(at(finding)))).toEqual([]);
  });

  test('each exception has a reason, and is needed', () => {
    const findings = boards.flatMap(lint);
    expect(exceptions.filter(({ reason }) => reason.length < 20)).toEqual([]);
    expect(exceptions.filter(one => !findings.some(at(one)))).toEqual([]);
  });
});

type Damage = (board: Board) => void;

const panel = (board: Board): BoardPanel => {
  const found = board.panels.find(({ type }) => type === 'timeseries');
  if (found === undefined) throw new Error('The dashboard has no graph');
  return found;
};
const target = (board: Board): Target => {
  const [first] = panel(board).targets ?? [];
  if (first === undefined) throw new Error('The graph has no query');
  return first;
};
const asks =
  (expr: string, type = 'prometheus'): Damage =>
  board =>
    void Object.assign(target(board), { expr, datasource: { type, uid: `\${${type}_datasource}` } });
const variable =
  (name: string, change: object): Damage =>
  board =>
    void Object.assign(board.templating.list.find(one => one.name === name) ?? {}, change);

const matchers = 'job=~"$job",instance=~"$instance"';

/** What each rule must report. */
const damages: readonly (readonly [rule: string, damage: Damage])[] = [
  ['template-datasource-rule', variable('prometheus_datasource', { name: 'source' })],
  ['template-job-rule', variable('job', { allValue: '.*' })],
  ['template-instance-rule', variable('instance', { multi: false })],
  ['template-label-promql-rule', variable('job', { query: 'label_values(up{, job)' })],
  ['template-on-time-change-reload-rule', variable('job', { refresh: 1 })],
  ['uneditable-dashboard', board => void (board.editable = true)],
  ['panel-datasource-rule', board => void (panel(board).datasource = { type: 'prometheus', uid: 'abc' })],
  ['panel-title-description-rule', board => void (panel(board).description = '')],
  ['panel-units-rule', board => void (panel(board).fieldConfig = { defaults: { unit: 'apples' }, overrides: [] })],
  ['panel-no-targets-rule', board => void (panel(board).targets = [])],
  ['target-promql-rule', asks('sum(up')],
  ['target-logql-rule', asks('{service_name="x"', 'loki')],
  ['target-logql-auto-rule', asks('sum(count_over_time({service_name="x"} [5m]))', 'loki')],
  ['target-rate-interval-rule', asks(`rate(x_total{${matchers}}[5m])`)],
  ['target-job-rule', asks('up{instance=~"$instance"}')],
  ['target-instance-rule', asks('up{job=~"$job"}')],
  ['target-counter-agg-rule', asks(`sum(x_total{${matchers}})`)],
  ['target-counter-agg-rule', asks(`max_over_time(x_total{${matchers}}[5m])`)],
];

const found = (board: Board | undefined, rule: string): readonly Finding[] =>
  board === undefined ? [] : lint(board).filter(finding => finding.rule === rule);

describe('each rule reports its case', () => {
  const whole = boards.find(({ uid }) => uid === 'vb365-exporter');
  test.each(damages)('%s', (rule, damage) => {
    const damaged = structuredClone(whole);
    if (damaged !== undefined) damage(damaged);
    expect(found(damaged, rule)).toHaveLength(found(whole, rule).length + 1);
  });

  test('all of them', () => {
    expect(new Set(damages.map(([rule]) => rule))).toEqual(new Set(ruleNames));
  });
});
