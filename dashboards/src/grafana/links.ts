import { dashboardUids } from '../rule.js';

/** The dashboards that link to each other bear this tag. */
export const tag = 'vb365';

type Uid = keyof typeof dashboardUids;

/** The data sources and the job that were chosen go along; time too. */
const kept = '${prometheus_datasource:queryparam}&${loki_datasource:queryparam}&${job:queryparam}&${__url_time_range}';

/** A link to a dashboard of ours, with the variables it is to have there; values may be `${...}` of Grafana. */
export const linkTo = (dashboard: Uid, variables: Readonly<Record<string, string>> = {}): string =>
  `/d/${dashboardUids[dashboard]}?${[...Object.entries(variables).map(([name, value]) => `var-${name}=${value}`), kept].join('&')}`;

/** The value of a column of the row that was clicked. */
export const cell = (column: string): string => `\${__data.fields["${column}"]}`;
