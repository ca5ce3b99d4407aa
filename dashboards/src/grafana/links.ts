import { dashboardUids } from '../rule.js';
import type { LogStore } from './log-store.js';
import { sourceName } from './variables.js';

/** The tag of dashboards that link to each other. */
export const tag = 'vb365';

type Uid = keyof typeof dashboardUids;

/** Links keep data sources, job and time range. */
const kept = (source: LogStore['source']): string =>
  ['prometheus_datasource', sourceName(source), 'job'].map(name => `\${${name}:queryparam}`).join('&');

/** A link from a dashboard of that log store to one of the dashboards, with values for its variables; values can be Grafana's `${...}`. */
export const linkTo = (
  { source }: LogStore,
  dashboard: Uid,
  variables: Readonly<Record<string, string>> = {},
): string =>
  `/d/${dashboardUids[dashboard]}?${[...Object.entries(variables).map(([name, value]) => `var-${name}=${value}`), kept(source), '${__url_time_range}'].join('&')}`;

/** The value of a column in the clicked row. */
export const cell = (column: string): string => `\${__data.fields["${column}"]}`;
