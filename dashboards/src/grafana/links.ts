import { dashboardUids } from '../rule.js';

/** The tag of dashboards that link to each other. */
export const tag = 'vb365';

type Uid = keyof typeof dashboardUids;

/** Links keep data sources, job and time range. */
const kept = '${prometheus_datasource:queryparam}&${loki_datasource:queryparam}&${job:queryparam}&${__url_time_range}';

/** A link to one of the dashboards, with values for its variables; values can be Grafana's `${...}`. */
export const linkTo = (dashboard: Uid, variables: Readonly<Record<string, string>> = {}): string =>
  `/d/${dashboardUids[dashboard]}?${[...Object.entries(variables).map(([name, value]) => `var-${name}=${value}`), kept].join('&')}`;

/** The value of a column in the clicked row. */
export const cell = (column: string): string => `\${__data.fields["${column}"]}`;
