import type { Condition, LogAlertQuery, Outsider } from '../grafana/log-query.js';
import { type GeneratedFile, generatedYaml } from '../rule-files.js';
import type { LogDetection } from './detection.js';
import { logDetections } from './log-detections.js';
import { exporterRules } from './sigma-exporter.js';
import { idOf, levels, snakeCase, tagsOf } from './sigma-rule.js';

type Selection = Readonly<Record<string, unknown>>;

/** What a rule selects, by name, and its condition. */
type Detection = Readonly<Record<string, Selection | readonly Selection[] | string>>;

/** In place of the organization's own domain or tenant, which Sigma cannot compare with. */
export const ownPlaceholder = 'own-organization';

/** Conditions that say what a field is. */
function selectionOf(conditions: readonly Condition[]): Selection {
  const selection: Record<string, string | readonly string[]> = {};
  for (const condition of conditions) {
    if (typeof condition === 'string') continue;
    if ('is' in condition) selection[condition.attribute] = condition.is;
    if ('isOneOf' in condition) selection[condition.attribute] = condition.isOneOf;
  }
  return selection;
}

/** Conditions that say what a field is not, unless another one says what it is. */
const excluded = (conditions: readonly Condition[]): readonly Selection[] =>
  conditions.flatMap(condition =>
    typeof condition !== 'string' && 'isNot' in condition && !(condition.attribute in selectionOf(conditions))
      ? [{ [condition.attribute]: condition.isNot }]
      : [],
  );

/** Sigma has no time of day: the SIEM has to provide these two fields. */
const outsideHours: readonly Selection[] = [
  { 'date_hour|lt': 7 },
  { 'date_hour|gte': 19 },
  { date_wday: ['saturday', 'sunday'] },
];

const patterns = ({ sigma }: Outsider, parts: readonly string[]): readonly string[] =>
  parts.flatMap(part => sigma.with.map(pattern => pattern.replace('%', part)));

function detectionOf({ records, outsider }: LogAlertQuery): Detection {
  const parts: Record<string, Selection | readonly Selection[]> = {
    selection: {
      ...selectionOf(records),
      ...(outsider?.sigma.contains === undefined
        ? {}
        : { [`${outsider.attribute}|contains`]: outsider.sigma.contains }),
    },
  };
  let condition = 'selection';
  if (records.includes('outside office hours')) {
    parts['hours'] = outsideHours;
    condition += ' and hours';
  }
  const filters = excluded(records);
  if (filters.length > 0) {
    parts['filter_session_line'] = filters;
    condition += ' and not filter_session_line';
  }
  if (outsider !== undefined) {
    const trusted = [...outsider.trusted, ...patterns(outsider, [ownPlaceholder, ...outsider.trusted])];
    parts['filter_trusted'] = { [outsider.attribute]: trusted };
    const { never } = outsider.sigma;
    if (never !== undefined) parts['several'] = { [outsider.attribute]: never };
    condition += never === undefined ? ' and not filter_trusted' : ' and (several or not filter_trusted)';
  }
  return { ...parts, condition };
}

const sourceFields = ['service.instance.id', 'veeam.restore.session.id', 'veeam.restore.session.reason'];

function rulesOf(detection: LogDetection): readonly object[] {
  const { name, detects, attack, falsePositives, severity, query } = detection;
  const isCounted = query.when !== 'none before' && query.limit > 0;
  const texts = {
    status: 'experimental',
    author: 'vb365-exporter',
    tags: tagsOf(attack),
    falsepositives: [falsePositives],
    level: query.when === 'none before' ? 'low' : levels[severity],
  };
  const by = query.by.map(({ attribute }) => attribute);
  const base = snakeCase(name);
  const rule = {
    title: isCounted ? `VB365 Records Of: ${detects}` : `VB365 ${detects}`,
    id: idOf(name),
    name: isCounted ? `${base}_record` : base,
    description: describe(query, isCounted),
    ...texts,
    ...(isCounted ? { level: 'informational' } : {}),
    logsource: { product: 'vb365-exporter', service: 'restore' },
    detection: detectionOf(query),
    fields: [...new Set([...sourceFields, ...by, 'veeam.restore.target'])],
  };
  if (!isCounted) return [rule];
  const counts = query.when === 'more values than' ? 'value_count' : 'event_count';
  const field = query.when === 'more values than' ? { field: query.of.attribute } : {};
  const correlation = {
    type: counts,
    rules: [rule.name],
    'group-by': by,
    timespan: query.window,
    condition: { gt: query.limit, ...field },
  };
  return [rule, { title: `VB365 ${detects}`, id: idOf(`${name} correlation`), name: base, ...texts, correlation }];
}

function describe({ when, records, outsider }: LogAlertQuery, isCounted: boolean): string {
  if (isCounted) return 'Counted by the correlation in this file.';
  if (when === 'none before')
    return 'Every record, not only the first. Sigma has no memory: make it a rule for new values of the initiator in your SIEM.';
  if (outsider !== undefined)
    return `Replace "${ownPlaceholder}" with the names of your organizations, and the trusted values with your own.`;
  return records.includes('outside office hours')
    ? 'Needs the hour (0 to 23) and the day of the week of the event in date_hour and date_wday.'
    : 'Restore events that match the selection.';
}

/** One file of Sigma per detection: a rule, and a correlation where records are counted. */
export const sigmaFiles = (): readonly GeneratedFile[] =>
  [...logDetections.map(detection => [detection.name, rulesOf(detection)] as const), ...exporterRules()].map(
    ([name, rules]) => ({
      path: `dashboards/detections/sigma/${snakeCase(name)}.yml`,
      text: rules.map(rule => generatedYaml(rule)).join('---\n'),
    }),
  );
