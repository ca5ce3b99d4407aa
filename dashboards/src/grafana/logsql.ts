import type { Dataquery } from '@grafana/grafana-foundation-sdk/cog';
import type { Condition, Group, LogAlertQuery, LogQuery, Outsider } from './log-query.js';
import type { LogStore } from './log-store.js';
import type { Query } from './queries.js';
import { chosen } from './variables.js';

/** VictoriaLogs keeps the names of attributes; quoted, they may contain dots. A missing attribute is `''`. */
const quoted = (text: string): string => `"${text}"`;

function filter(condition: Condition): string {
  if (condition === 'outside office hours') return '(!_time:day_range[07:00, 19:00) or !_time:week_range[Mon, Fri])';
  if ('anyOf' in condition) {
    const text = `:~\`(?is)\${${condition.containsTextOf}:regex}\``;
    return `(${condition.anyOf.map(attribute => `${quoted(attribute)}${text}`).join(' or ')})`;
  }
  const name = quoted(condition.attribute);
  if ('is' in condition) return `${name}:=${quoted(condition.is)}`;
  if ('isNot' in condition) return `!${name}:=${quoted(condition.isNot)}`;
  if ('isOneOf' in condition) return `${name}:in(${condition.isOneOf.map(quoted).join(', ')})`;
  return `${name}:~\`^(?:\${${condition.isChosenIn}:regex})$\``;
}

/**
 * The conditions are a pipe: the data source leaves out the time range of the dashboard if there is a `_time` before the
 * first pipe.
 */
const selected = (conditions: readonly Condition[]): string =>
  `{service.name="vb365-exporter"} | filter ${conditions.map(filter).join(' ')}`;

const labelOf = ({ attribute, lowerCaseAs, as = attribute }: Group): string => lowerCaseAs ?? as;

/** The only group of a pattern, lower case, as a field; `''` where the pattern does not match. */
const partPipes = (attribute: string, pattern: string, as: string): readonly string[] => [
  `extract_regexp \`${pattern.replace(/\((?!\?)/, `(?P<${as}>`)}\` from ${quoted(attribute)}`,
  `format "<lc:${as}>" as ${as}`,
];

function outside({ attribute, part, ofOrganization, trusted }: Outsider): readonly string[] {
  const values = trusted.map(value => `\`${value}\``).join(', ');
  return [
    ...partPipes(attribute, part, 'theirs'),
    ...partPipes('veeam.organization.name', ofOrganization, 'own'),
    `format "<lc:${attribute}>" as whole`,
    `filter theirs:!"" !theirs:eq_field(own) !theirs:in(${values}) !whole:in(${values})`,
  ];
}

/** The query of an alerting rule in LogsQL; its value is the number that has to be explained. */
export function logsqlAlert(asked: LogAlertQuery): string {
  const { records, by, window, outsider } = asked;
  const groups = asked.when === 'more values than' ? [...by, asked.of] : by;
  return [
    `_time:${asked.when === 'none before' ? asked.memory : window} ${selected(records)}`,
    ...(outsider === undefined ? [] : outside(outsider)),
    ...groups.map(group => `format "<${lowered(group)}${group.attribute}>" as ${labelOf(group)}`),
    ...judged(asked, `stats by (${by.map(labelOf).join(', ')})`),
  ].join(' | ');
}

const lowered = ({ lowerCaseAs }: Group): string => (lowerCaseAs === undefined ? '' : 'lc:');

/** What is counted, and what is too much. */
function judged(asked: LogAlertQuery, stats: string): readonly string[] {
  switch (asked.when) {
    case 'more records than':
      return [`${stats} count() as records`, `filter records:>${String(asked.limit)}`];
    case 'more values than':
      return [`${stats} count_uniq(${labelOf(asked.of)}) as records`, `filter records:>${String(asked.limit)}`];
    case 'none before':
      return [
        `${stats} count() if (_time:${asked.window}) as records, count() if (!_time:${asked.window}) as before`,
        'filter records:>0 before:0',
        'delete before',
      ];
  }
}

/** Records with the label of the group as a field. */
const labelled = (conditions: readonly Condition[], { attribute, lowerCaseAs }: Group): string =>
  lowerCaseAs === undefined
    ? selected(conditions)
    : `${selected(conditions)} | format "<lc:${attribute}>" as ${quoted(lowerCaseAs)}`;

const countBy = (conditions: readonly Condition[], by: Group): string =>
  `${labelled(conditions, by)} | stats by (${quoted(labelOf(by))}) count() as records`;

/** A query in LogsQL; the data source adds the time range and the width of a bar. */
function logsqlOf(asked: LogQuery): string {
  const records = selected(asked.records);
  switch (asked.show) {
    case 'newest':
      return `${records} | sort by (_time desc)`;
    case 'count':
      return `${records} | stats count() as records`;
    case 'distinct':
      return `${labelled(asked.records, asked.by)} | stats count_uniq(${quoted(labelOf(asked.by))}) as records`;
    case 'sum':
    case 'max':
    case 'median':
      return `${records} | stats ${asked.show}(${quoted(asked.of)}) as value`;
    case 'top':
      return `${countBy(asked.records, asked.by)} | sort by (records desc) | limit 10`;
    case 'per bar':
      return countBy(asked.records, asked.by);
  }
}

/** The kind of request: the data source's `queryType`. */
const types = { newest: 'instant', 'per bar': 'statsRange' } as const;

function query(asked: LogQuery): Query {
  const common = { datasource: chosen('victoriametrics-logs-datasource'), expr: logsqlOf(asked), refId: '' };
  const queryType = asked.show === 'newest' || asked.show === 'per bar' ? types[asked.show] : 'stats';
  const legend = 'by' in asked && asked.show !== 'distinct' ? { legendFormat: `{{${labelOf(asked.by)}}}` } : {};
  const limit = asked.show === 'newest' ? { maxLines: asked.limit } : {};
  return built({ ...common, queryType, ...legend, ...limit });
}

/** The SDK has no builders for these data sources. */
const built = (query_: object): Query => ({
  build: (): Dataquery => ({ ...query_, _implementsDataqueryVariant: () => undefined }),
});

/** VictoriaLogs with Jaeger next to it; VictoriaTraces answers the data source of Jaeger, too. */
export const victoriaLogs: LogStore = {
  name: 'VictoriaLogs',
  source: 'victoriametrics-logs-datasource',
  folder: 'dashboards/grafana-victorialogs',
  traces: {
    name: 'Jaeger',
    source: 'jaeger',
    byId: id => built({ datasource: chosen('jaeger'), query: id, refId: '' }),
  },
  field: attribute => attribute,
  query,
};
