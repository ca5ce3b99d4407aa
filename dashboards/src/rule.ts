/** How urgent: somebody has to act now, today, or should know. */
export const severities = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof severities)[number];

/** Who has to act: whoever looks after restores, after the VB365 server, after OTLP receivers, after the exporter. */
export const components = ['restore', 'server', 'delivery', 'exporter'] as const;
export type Component = (typeof components)[number];

/**
 * Where the runbooks are served: one page per alert, `<name>.md` of dashboards/runbooks. It leads nowhere, as does
 * `grafanaBase`: docs/ALERTS.md says how a user puts in their own.
 */
export const runbookBase = 'https://vb365-exporter.example.com/runbooks';

/** The Grafana that has the dashboards. */
export const grafanaBase = 'https://grafana.example.com';

/** The dashboards, by the uid that each has. */
export const dashboardUids = {
  fleet: 'vb365-fleet',
  organization: 'vb365-organization',
  session: 'vb365-session',
  exporter: 'vb365-exporter',
} as const;

/** The jobs that scrape an exporter of ours: every one with `vb365` in its name. */
export const ourJobs = 'job=~".*vb365.*"';

/** For each series of `metric`, when its process began: what stands in for a time that has not come since. */
export const processStart = (metric: string): string =>
  `${metric} * 0 + on (job, instance) group_left () process_start_time_seconds`;

/** An alert as data: the rules, their tests, the routes and the runbooks are all checked against it. */
export type Alert = Readonly<{
  name: `VB365${string}`;
  component: Component;
  severity: Severity;
  /** PromQL. */
  expr: string;
  /** How long it has to hold; undefined: once is enough. */
  for?: string;
  /** One sentence without a value, the same for every firing. */
  summary: string;
  /** What is the matter, with labels and value, then the first thing to do. */
  description: string;
  dashboard: keyof typeof dashboardUids;
}>;

/** A series that is computed ahead, because several alerts or panels use it. */
export type Recording = Readonly<{ name: `${string}:vb365_${string}`; expr: string }>;

/** The annotations of an alert, as Prometheus is to render them. */
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
