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

/** What can be asked; the viewer chooses which data source of each kind it is. */
export const sourceTypes = ['prometheus', 'loki', 'tempo'] as const;
export type SourceType = (typeof sourceTypes)[number];

export type Variable = Builder<VariableModel>;

/** The data source of that kind that the viewer has chosen. */
export const chosen = (type: SourceType): DataSourceRef => ({ type, uid: `\${${type}_datasource}` });

/** Name and label are those that Grafana's dashboard-linter asks for. */
export const sourceVariable = (type: SourceType): Variable =>
  new DatasourceVariableBuilder(`${type}_datasource`)
    .label(`${type.charAt(0).toUpperCase()}${type.slice(1)} data source`)
    .description(whatFor[type])
    .type(type);

const whatFor: Readonly<Record<SourceType, string>> = {
  prometheus: 'Where the metrics of vb365-exporter are.',
  loki: 'Where its log records are. The panels with metrics do without.',
  tempo: 'Where its traces are. Everything but the trace does without.',
};

type Choice = Readonly<{ label: string; query: string; description: string; all?: string }>;

/** A choice among the values of a label, read anew with the time range; everything is chosen at first. */
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
  description: 'A running exporter.',
});

export const server = labelVariable('server', {
  label: 'Server',
  query: 'label_values(vb365_server_up{job=~"$job"}, server)',
  description: 'A VB365 installation, by its name in the configuration of the exporter.',
});

/** The exporter can leave this label out; `.*` still finds its series then. */
export const organization = labelVariable('organization', {
  label: 'Organization',
  query: 'label_values(vb365_restore_events_total{job=~"$job",server=~"$server"}, organization)',
  description: 'Whose data is restored.',
  all: '.*',
});

const workload = labelVariable('workload', {
  label: 'Workload',
  query: 'label_values(vb365_restore_events_total{job=~"$job",server=~"$server"}, workload)',
  description: 'Exchange, OneDrive, SharePoint or Teams.',
});

/** Words of the API to choose from. */
export const wordsVariable = (name: string, label: string, words: readonly string[]): Variable =>
  new CustomVariableBuilder(name)
    .label(label)
    .values(words.join(','))
    .multi(true)
    .includeAll(true)
    .allValue('.*')
    .current({ text: ['All'], value: ['$__all'] });

/** Text that the viewer types, at first `''`. */
export const textVariable = (name: string, label: string, description: string): Variable =>
  new TextBoxVariableBuilder(name)
    .label(label)
    .description(description)
    .defaultValue('')
    .current({ text: '', value: '' });

/** Of the dashboards about restores, of all organizations or of one. */
export const tenantVariables = (): readonly Variable[] => [
  sourceVariable('prometheus'),
  sourceVariable('loki'),
  job,
  server,
  organization,
  workload,
];
