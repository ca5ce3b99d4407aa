/** Act now, act today, for information. */
export const severities = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof severities)[number];

/** Who acts: the team for restores, VB365 servers, OTLP receivers, or the exporter. */
export const components = ['restore', 'server', 'delivery', 'exporter'] as const;
export type Component = (typeof components)[number];

/** Placeholder for the address of the runbooks, one page `<name>.md` per alert; docs/ALERTS.md says how to replace it. */
export const runbookBase = 'https://vb365-exporter.example.com/runbooks';

/** Placeholder for the address of Grafana. */
export const grafanaBase = 'https://grafana.example.com';

/** Dashboard uids. */
export const dashboardUids = {
  fleet: 'vb365-fleet',
  organization: 'vb365-organization',
  session: 'vb365-session',
  exporter: 'vb365-exporter',
} as const;

/** Matches the scrape jobs of exporters: every job with `vb365` in its name. */
export const ourJobs = 'job=~".*vb365.*"';

/** For each series of `metric`, the start time of its process: a fallback for a timestamp that has no value yet. */
export const processStart = (metric: string): string =>
  `${metric} * 0 + on (job, instance) group_left () process_start_time_seconds`;

/** An alert as data. The tests check rules, routes and runbooks against it. */
export type Alert = Readonly<{
  name: `VB365${string}`;
  component: Component;
  severity: Severity;
  /** PromQL. */
  expr: string;
  /** How long the expression must hold; undefined: fires at once. */
  for?: string;
  /** One sentence without values or labels. */
  summary: string;
  /** What is wrong, with labels and value, then the first thing to do. */
  description: string;
  dashboard: keyof typeof dashboardUids;
}>;

/** A recording rule that several alerts or panels use. */
export type Recording = Readonly<{ name: `${string}:vb365_${string}`; expr: string }>;

/** The annotation templates of an alert. */
export function annotationsOf({ name, summary, description, dashboard }: Alert): Readonly<Record<string, string>> {
  return {
    summary,
    description,
    runbook_url: `${runbookBase}/${name}.md`,
    dashboard_url: `${grafanaBase}/d/${dashboardUids[dashboard]}${variablesOf(dashboard)}`,
  };
}

function variablesOf(dashboard: Alert['dashboard']): string {
  if (dashboard === 'organization')
    return '?var-server={{ $labels.server | urlquery }}&var-organization={{ $labels.organization | urlquery }}';
  return dashboard === 'fleet' ? '?var-server={{ $labels.server | urlquery }}' : '';
}
