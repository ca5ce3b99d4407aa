/** Act now, act today, for information. */
export const severities = ['critical', 'warning', 'info'] as const;
export type Severity = (typeof severities)[number];

/** Who acts: the team for restores, VB365 servers, OTLP receivers, the exporter, or security. */
export const components = ['restore', 'server', 'delivery', 'exporter', 'security'] as const;
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

/**
 * The value of a gauge, or its last one for ten minutes after its series has ended. Nothing fires or resolves while a server
 * moves from one replica to another.
 */
export const lastKnown = (gauge: string): string => `last_over_time(${gauge}[10m])`;

/** For each series of `gauge`, the start time of its process: a fallback for a timestamp that has no value yet. */
export const processStart = (gauge: string): string =>
  `${lastKnown(gauge)} * 0 + on (job, instance) group_left () ${lastKnown('process_start_time_seconds')}`;

/**
 * How much a stored counter rose within `window`, above 0. Where scrapes were missed, since its last value before: `increase` sees
 * nothing if they were missed for longer than the window. It remains for new series and for counters that were reset. A server
 * has its counter on one replica, or the same value on two.
 */
export const risen = (counter: string, by: string, window: string): string => `(
  max by (${by}) (${counter}) - max by (${by}) (last_over_time(${counter}[1d] offset ${window})) > 0
or
  sum by (${by}) (increase(${counter}[${window}])) > 0
)`;

/** In a text, after what happened. `metrics.organization_label: false` leaves the organization out. */
export const forTenant = '{{ with $labels.organization }} for {{ . }}{{ end }} on {{ $labels.server }}';

/** Labels that a summary and a link to a dashboard can name. */
export type Subject = 'server' | 'organization' | 'workload' | 'instance' | 'initiator';

/** An alert as data. The tests check rules, routes and runbooks against it. */
export type Alert = Readonly<{
  name: `VB365${string}`;
  component: Component;
  severity: Severity;
  /** The value of a label with which it is less severe. */
  milder?: Readonly<{ label: string; value: string; severity: Severity }>;
  /** PromQL. */
  expr: string;
  /** How long the expression must hold; undefined: fires at once. */
  for?: string;
  /** How long it keeps firing after the expression stopped to hold; undefined: it resolves at once. */
  keepFiringFor?: string;
  /** The labels that its dashboard selects; the alert has all of them. */
  about: readonly Subject[];
  /** One sentence without values. It names server, organization and instance where the alert has them. */
  summary: string;
  /** What is wrong, with labels and value, then the first thing to do. */
  description: string;
  dashboard: keyof typeof dashboardUids;
  /** How far back the dashboard looks; undefined: 24 hours. */
  lookBack?: string;
}>;

/** A recording rule that several alerts or panels use. */
export type Recording = Readonly<{ name: `${string}:vb365_${string}`; expr: string }>;

/** What the texts of an alert are made of; a rule for a log store has it, too. */
export type AlertTexts = Pick<Alert, 'name' | 'about' | 'summary' | 'description' | 'dashboard' | 'lookBack'>;

/** The annotation templates of an alert. */
export function annotationsOf(alert: AlertTexts): Readonly<Record<string, string>> {
  const { name, summary, description } = alert;
  return { summary, description, runbook_url: `${runbookBase}/${name}.md`, dashboard_url: dashboardUrl(alert) };
}

function dashboardUrl({ dashboard, about, lookBack = '24h' }: AlertTexts): string {
  const variables = about.map(label => `var-${label}={{ $labels.${label} | urlquery }}`);
  return `${grafanaBase}/d/${dashboardUids[dashboard]}?${[...variables, `from=now-${lookBack}`, 'to=now'].join('&')}`;
}
