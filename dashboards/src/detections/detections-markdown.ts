import { thresholds } from '../thresholds.js';
import type { LogDetection, MetricDetection } from './detection.js';
import { logDetections } from './log-detections.js';
import { misuseAlerts } from './misuse-alerts.js';
import { ownPlaceholder } from './sigma.js';

const { misuse: at } = thresholds;

const row = (source: string, { detects, name, attack, falsePositives, triedWith }: LogDetection | MetricDetection) => [
  `[${detects}](../dashboards/runbooks/${name}.md)`,
  source,
  attack.join(', '),
  falsePositives,
  `\`${triedWith}\``,
];

/** Columns as wide as their widest cell, as prettier writes them. */
function table(rows: readonly (readonly string[])[]): string {
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map(cells => cells[column]?.length ?? 0))) ?? [];
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`;
  const [head = [], ...body] = rows;
  return [line(head), line(widths.map(width => '-'.repeat(width))), ...body.map(line)].join('\n');
}

const code = (values: readonly string[]): string => values.map(value => `\`${value}\``).join(', ');

const overview = (): string => `# Detections of restore misuse

Generated from \`dashboards/src/detections\`; do not edit.

An account that may restore may read every mailbox. These rules report what thieves and careless colleagues do. Each alert has
\`component="security"\`; [alertmanager.yml](../dashboards/alertmanager/alertmanager.yml) sends it to \`security-team\` at once.

${table([
  ['Detection', 'Source', 'ATT&CK', 'False positives', 'Simulated attack'],
  ...logDetections.map(detection => row('log records', detection)),
  ...misuseAlerts.map(detection => row('metrics', detection)),
])}

\`vb365-exporter simulate --attack <name>\` runs an attack 30 s after the exporter has logged in. The end-to-end tests run each attack and
see its detection within 60 s after its last step; they also replay 30 quiet days, after 30 days of work, that raise nothing. In production a detection takes
one poll (\`poll_interval\`), and one evaluation of the rules: 30 s for log rules, a scrape and an evaluation interval for Prometheus.`;

const rules = (): string => `## Where the rules are

${table([
  ['rules', 'for'],
  ['`dashboards/prometheus`, group `vb365-security.alerts`', 'Prometheus; also in the chart'],
  ['`dashboards/detections/loki`', 'the ruler of Loki: copy the file into the folder of a tenant'],
  ['`dashboards/detections/victorialogs`', 'vmalert with VictoriaLogs'],
  ['`dashboards/detections/sigma`', 'a SIEM'],
  [
    '`examples/prometheus/somebody-elses-data.yml`',
    'Prometheus, where nobody restores for others: every access to their data',
  ],
])}

\`\`\`sh
vmalert -rule=dashboards/detections/victorialogs/vb365-misuse.yml -datasource.url=http://victorialogs:9428 -notifier.url=http://alertmanager:9093
\`\`\`

The log rules need \`logs.enabled\`, \`keep\` for person and path in \`logs.personal_data\`, and a log store that keeps ${at.firstExport.memory} and an
hour. The rules for Loki are checked with Grafana's grammar and evaluated by the tests, not by a Loki.`;

const names = (): string => `## Set your own names

Names are in lower case. For further names, repeat the two filters of LogQL that hold the placeholder, and extend the lists of LogsQL and Sigma.
The two addresses of [ALERTS](ALERTS.md#set-two-addresses) are placeholders in these files, too.

${table([
  ['placeholder', 'replace it with'],
  [code(at.trusted.mailDomains), 'a mail domain that may receive items'],
  [code(at.trusted.tenants), 'a SharePoint tenant that may receive items: `contoso` of `contoso.sharepoint.com`'],
  [code(at.trusted.operators), 'a domain, machine or whole account that may work for every organization'],
  [`${code([ownPlaceholder])} (Sigma only)`, 'the names of your organizations, which Sigma cannot compare with'],
])}

\`\`\`sh
sed -i 's|${at.trusted.operators.join()}|vb365|g' dashboards/detections/*/*.yml
\`\`\`

The organization is compared by name: \`contoso.onmicrosoft.com\` for mail domains, \`contoso\` for tenants and for the domain of an account.
Working hours are Monday to Friday, 07:00 to 19:00 UTC; change them in the rule. Thresholds are in \`dashboards/src/thresholds.ts\`.`;

const sigma = (): string => `## Sigma

\`\`\`sh
sigma check --fail-on-issues dashboards/detections/sigma
sigma convert -t splunk --without-pipeline dashboards/detections/sigma
sigma convert -t esql --without-pipeline dashboards/detections/sigma
\`\`\`

Tested with sigma-cli 3.1.0 and the backends for Splunk 2.1.0 and Elasticsearch 2.1.1. Records have the attributes of [LOGS](LOGS.md); set index and
source in a pipeline of yours. What Sigma cannot say:

- A first time: \`vb365_misuse_first_export\` and \`vb365_misuse_somebody_elses_data\` find every time. Make them rules for new values of the
  initiator.
- A time of day: \`vb365_misuse_outside_hours\` reads \`date_hour\` (0 to 23) and \`date_wday\` (\`monday\`). Let the SIEM compute them from the time of
  the event, in UTC.
- A sliding window: both backends count in fixed ones.
- The organization's own names: list them.

Three rules read the log of the exporter (\`msg\`, \`reason\`, \`server\`) in place of metrics. Refused logins in a row are one line, not one per login.`;

const blindSpots = (): string => `## What they do not see

- Records that arrive more than ${at.window} late, after an outage: log rules look at the time of the event. Look through them by hand.
- Data of somebody else before VB365 8, without \`resolve_owners\`, in a group, site, team or shared mailbox, or by an account such as
  \`DOMAIN\\user\`: there nobody says whether the initiator owns it (\`veeam.restore.owner.relation\` is \`unknown\`).
- Who is logged in: a stolen session of the usual operator, in working hours and small amounts, looks as usual.
- Exchange items that are restored to another mailbox: the target names a folder, not a tenant.
- Files that are carried away after an export: the target is a folder of the server or of the operator.
- Deleted sessions, if they had stopped and the server has no change feed (before VB365 8); those that were older than 7 days, which a shorter
  retention deletes as well; and those deleted before the exporter read them.
- A lost server, while the exporter waits before its next login: 1, 10 or 30 minutes after a refused one. Until then it is \`VB365MisuseFailedLogins\`.
- Logins other than its own: the exporter sees that its account is locked, not who locked it.`;

/** The text of docs/DETECTIONS.md. */
export const detectionsMarkdown = (): string =>
  `${[overview, rules, names, sigma, blindSpots].map(section => section()).join('\n\n')}\n`;
