import type { DataSourceRef, VariableModel } from '@grafana/grafana-foundation-sdk/dashboard';
import {
  CustomVariableBuilder,
  DatasourceVariableBuilder,
  QueryVariableBuilder,
  TextBoxVariableBuilder,
  VariableRefresh,
  VariableSort,
} from '@grafana/grafana-foundation-sdk/dashboard';
import type { Builder } from '@grafana/grafana-foundation-sdk/cog';

/** Kinds of data sources; the viewer selects one of each. */
export const sourceTypes = ['prometheus', 'loki', 'victoriametrics-logs-datasource', 'tempo', 'jaeger'] as const;
export type SourceType = (typeof sourceTypes)[number];

export type Variable = Builder<VariableModel>;

/** Names of data source variables contain only letters, digits and underscores. */
const wordFor = (type: SourceType): string => (type === 'victoriametrics-logs-datasource' ? 'victorialogs' : type);

/** The variable that holds the selected data source of that kind. */
export const sourceName = (type: SourceType): string => `${wordFor(type)}_datasource`;

/** The selected data source of that kind. */
export const chosen = (type: SourceType): DataSourceRef => ({ type, uid: `\${${sourceName(type)}}` });

/** Name and label follow Grafana's dashboard-linter. */
export const sourceVariable = (type: SourceType): Variable =>
  new DatasourceVariableBuilder(sourceName(type))
    .label(`${sourceTitles[type]} data source`)
    .description(whatFor[type])
    .type(type);

/** What users call the kinds of data sources. */
export const sourceTitles: Readonly<Record<SourceType, string>> = {
  prometheus: 'Prometheus',
  loki: 'Loki',
  'victoriametrics-logs-datasource': 'VictoriaLogs',
  tempo: 'Tempo',
  jaeger: 'Jaeger',
};

const whatFor: Readonly<Record<SourceType, string>> = {
  prometheus: 'Prometheus with the metrics of vb365-exporter.',
  loki: 'Loki with its log records; metric panels do not need it.',
  'victoriametrics-logs-datasource': 'VictoriaLogs with its log records; metric panels do not need it.',
  tempo: 'Tempo with its traces; only the trace panel needs it.',
  jaeger: 'Jaeger with its traces; only the trace panel needs it. VictoriaTraces works, too.',
};

type Choice = Readonly<{ label: string; query: string; description: string; all?: string }>;

/** A choice of label values, refreshed with the time range; all are selected by default. */
const labelVariable = (name: string, { label, query, description, all = '.+' }: Choice): Variable =>
  new QueryVariableBuilder(name)
    .label(label)
    .description(description)
    .datasource(chosen('prometheus'))
    .query(query)
    .definition(query)
    .refresh(VariableRefresh.OnTimeRangeChanged)
    .sort(VariableSort.AlphabeticalCaseInsensitiveAsc)
    .multi(true)
    .includeAll(true)
    .allValue(all)
    .current({ text: ['All'], value: ['$__all'] });

export const job = labelVariable('job', {
  label: 'Job',
  query: 'label_values(vb365_build_info, job)',
  description: 'The scrape job of the exporter.',
});

export const instance = labelVariable('instance', {
  label: 'Instance',
  query: 'label_values(vb365_build_info{job=~"$job"}, instance)',
  description: 'An exporter process.',
});

export const server = labelVariable('server', {
  label: 'Server',
  query: 'label_values(vb365_server_up{job=~"$job"}, server)',
  description: 'A VB365 server, by its name in the configuration of the exporter.',
});

/** `.*` also matches series without this label. */
export const organization = labelVariable('organization', {
  label: 'Organization',
  query: 'label_values(vb365_restore_events_total{job=~"$job",server=~"$server"}, organization)',
  description: 'The Microsoft 365 organization whose data is restored.',
  all: '.*',
});

const workload = labelVariable('workload', {
  label: 'Workload',
  query: 'label_values(vb365_restore_events_total{job=~"$job",server=~"$server"}, workload)',
  description: 'Exchange, OneDrive, SharePoint or Teams.',
});

/** A choice of fixed values. */
export const wordsVariable = (name: string, label: string, words: readonly string[]): Variable =>
  new CustomVariableBuilder(name)
    .label(label)
    .values(words.join(','))
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: ['All'], value: ['$__all'] });

/** Free text, `''` by default. */
export const textVariable = (name: string, label: string, description: string): Variable =>
  new TextBoxVariableBuilder(name)
    .label(label)
    .description(description)
    .defaultValue('')
    .current({ text: '', value: '' });

/** Variables of the dashboards Fleet and Organization. */
export const tenantVariables = ({ source }: Readonly<{ source: SourceType }>): readonly Variable[] => [
  sourceVariable('prometheus'),
  sourceVariable(source),
  job,
  server,
  organization,
  workload,
];
