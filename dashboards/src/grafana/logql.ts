import { DataqueryBuilder, LokiQueryType } from '@grafana/grafana-foundation-sdk/loki';
import type { Condition, Group, LogAlertQuery, LogQuery, Outsider } from './log-query.js';
import type { LogStore } from './log-store.js';
import { type Query, traceOf } from './queries.js';
import { chosen } from './variables.js';

/** In Loki, attributes are structured metadata with underscores for dots; a missing attribute is `''`. */
const field = (attribute: string): string => attribute.replaceAll('.', '_');

function filter(condition: Condition): string {
  if (condition === 'outside office hours')
    return 'label_format hour=`{{ __timestamp__ | date "15" }}`, day=`{{ __timestamp__ | date "Mon" }}` | hour!~"0[7-9]|1[0-8]" or day=~"Sat|Sun"';
  if ('anyOf' in condition) {
    const text = `=~\`(?is).*\${${condition.containsTextOf}:regex}.*\``;
    return condition.anyOf.map(attribute => `${field(attribute)}${text}`).join(' or ');
  }
  const name = field(condition.attribute);
  if ('is' in condition) return `${name}="${condition.is}"`;
  if ('isNot' in condition) return `${name}!="${condition.isNot}"`;
  if ('isOneOf' in condition) return `${name}=~"${condition.isOneOf.join('|')}"`;
  return `${name}=~\`\${${condition.isChosenIn}:regex}\``;
}

/** The group of a pattern in lower case, or the whole text where the pattern does not match. */
const partOf = (attribute: string, pattern: string): string =>
  `{{ ToLower (regexReplaceAll ${JSON.stringify(pattern)} .${field(attribute)} "$1") }}`;

const outside = ({ attribute, part, ofOrganization, trusted }: Outsider): readonly string[] => [
  `${field(attribute)}=~\`${part}\``,
  `label_format theirs=\`${partOf(attribute, part)}\`, own=\`${partOf('veeam.organization.name', ofOrganization)}\`, whole=\`{{ ToLower .${field(attribute)} }}\``,
  'label_format foreign=`{{ ne .theirs .own }}`',
  'foreign="true"',
  ...trusted.flatMap(value => [`theirs!=\`${value}\``, `whole!=\`${value}\``]),
];

const selected = (conditions: readonly Condition[]): string =>
  ['{service_name="vb365-exporter"}', ...conditions.map(filter)].join(' | ');

const grouped = (conditions: readonly Condition[], { attribute, lowerCaseAs }: Group): string =>
  lowerCaseAs === undefined
    ? `sum by (${field(attribute)}) (count_over_time(${selected(conditions)} [$__auto]))`
    : `sum by (${lowerCaseAs}) (count_over_time(${selected(conditions)} | label_format ${lowerCaseAs}=\`{{ ToLower .${field(attribute)} }}\` [$__auto]))`;

/** A query in LogQL; `$__auto` is the width of a bar, or the time range. */
function logqlOf(asked: LogQuery): string {
  const records = selected(asked.records);
  switch (asked.show) {
    case 'newest':
      return records;
    case 'count':
      return `sum(count_over_time(${records} [$__auto])) or vector(0)`;
    case 'distinct':
      return `count(${grouped(asked.records, asked.by)})`;
    case 'sum':
    case 'max':
      return `${asked.show}(${asked.show}_over_time(${records} | unwrap ${field(asked.of)} [$__auto]))`;
    case 'median':
      return `quantile_over_time(0.5, ${records} | unwrap ${field(asked.of)} [$__auto]) by ()`;
    case 'top':
      return `sort_desc(topk(10, ${grouped(asked.records, asked.by)}))`;
    case 'per bar':
      return grouped(asked.records, asked.by);
  }
}

const renamed = (groups: readonly Group[]): string =>
  groups
    .map(({ attribute, lowerCaseAs, as = field(attribute) }) =>
      lowerCaseAs === undefined
        ? `${as}=\`{{ .${field(attribute)} }}\``
        : `${lowerCaseAs}=\`{{ ToLower .${field(attribute)} }}\``,
    )
    .join(', ');

/** The query of an alerting rule in LogQL; its value is the number that has to be explained. */
export function logqlAlert(asked: LogAlertQuery): string {
  const { by, window, outsider } = asked;
  const names = by.map(nameOf).join(', ');
  const groups = asked.when === 'more values than' ? [...by, asked.of] : by;
  const foreign = outsider === undefined ? [] : outside(outsider);
  const records = [selected(asked.records), ...foreign, `label_format ${renamed(groups)}`].join(' | ');
  const counted = (range: string, offset = ''): string =>
    `sum by (${groups.map(nameOf).join(', ')}) (count_over_time(${records} [${range}]${offset}))`;
  switch (asked.when) {
    case 'more records than':
      return `${counted(window)} > ${String(asked.limit)}`;
    case 'more values than':
      return `count by (${names}) (${counted(window)}) > ${String(asked.limit)}`;
    case 'none before':
      return `${counted(window)} unless ${counted(asked.memory, ` offset ${window}`)}`;
  }
}

const nameOf = ({ attribute, lowerCaseAs, as = field(attribute) }: Group): string => lowerCaseAs ?? as;

const labelOf = (group: Group): string => `{{${nameOf(group)}}}`;

function query(asked: LogQuery): Query {
  const builder = new DataqueryBuilder().datasource(chosen('loki')).expr(logqlOf(asked));
  if (asked.show === 'newest') return builder.queryType(LokiQueryType.Range).maxLines(asked.limit);
  builder.legendFormat('by' in asked && asked.show !== 'distinct' ? labelOf(asked.by) : '');
  return builder.queryType(asked.show === 'per bar' ? LokiQueryType.Range : LokiQueryType.Instant);
}

/** Loki with Tempo next to it. */
export const loki: LogStore = {
  name: 'Loki',
  source: 'loki',
  folder: 'dashboards/grafana',
  traces: { name: 'Tempo', source: 'tempo', byId: traceOf },
  field,
  query,
};
