import { lastPoll, lostAfter, lostIn, secondsLeft } from './outage.js';
import { type Alert, lastKnown, risen } from './rule.js';
import { thresholds as at } from './thresholds.js';

const of = { component: 'server', dashboard: 'exporter', about: ['server'] } as const;
const per = 'by (server)';
const count = '{{ $value | printf "%.0f" }}';

/** The highest value of a gauge of a server, among all replicas. */
const highest = (gauge: string): string => `max ${per} (${lastKnown(gauge)})`;
const lowest = (gauge: string): string => `min ${per} (${lastKnown(gauge)})`;

/** Seconds from now to the expiry of a certificate that the exporter refuses after it; negative once it has expired. */
const toExpiry = `${lowest('vb365_certificate_expiry_timestamp_seconds')} - time()`;
const unlessNotChecked = `unless on (server)
${highest('vb365_certificate_expiry_checked')} == 0`;

const expiresWithin = (limits: Readonly<{ leftSeconds: number; for: string }>) => ({
  expr: `${toExpiry} < ${String(limits.leftSeconds)} > 0
${unlessNotChecked}`,
  for: limits.for,
  description:
    'The certificate of {{ $labels.server }} expires in {{ $value | humanizeDuration }}. Renew it in VB365, and update the authority in the configuration if it changes.',
});

/** How many errors of that reason polls had. */
const pollErrors = (reason: string, window: string): string =>
  `sum ${per} (increase(vb365_poll_errors_total{reason="${reason}"}[${window}]))`;

const pollInterval = highest('vb365_poll_interval_seconds');

/** A poll was complete within two intervals: with slow polls, one failure says little. */
const isRecent = `time() - ${lastPoll} <= on (server) ${String(at.authFailing.slowIntervals)} * ${pollInterval}`;

/** The login is refused, and no poll was complete since, nor within two intervals. */
const refused = `(
    ${pollErrors('auth', at.authFailing.window)} > 0
  or
    ${pollErrors('auth', at.authFailing.slowWindow)} > 0
    and on (server)
    ${pollInterval} > ${String(at.authFailing.slowSeconds)}
)
unless on (server)
sum ${per} (increase(vb365_polls_total{result="complete"}[${at.authFailing.window}])) > 0
unless on (server)
${isRecent}`;

/** No poll gets an answer; a server that refuses the login is not unreachable. */
const unreachable = `max ${per} (max_over_time(vb365_server_up[${at.serverUnreachable.window}])) == 0
unless on (server)
${isRecent}
unless on (server)
(${refused})`;

/** The ratio of polls that were not complete. */
const incomplete = (window: string): string => `sum ${per} (rate(vb365_polls_total{result!="complete"}[${window}]))
/
(sum ${per} (rate(vb365_polls_total[${window}])) > 0)
> ${String(at.pollErrors.ratio)}`;

const slowPolls = `on (server)
${pollInterval} > ${String(at.pollErrors.slowSeconds)}`;

/** Only of servers that an exporter still has: the time of the last poll is remembered for longer. */
const stale = `time() - ${lastPoll} > ${String(at.pollStale.ageSeconds)}
and on (server)
(${lastKnown('vb365_last_successful_poll_timestamp_seconds')} or ${lastKnown('vb365_server_up')})
unless on (server)
time() - ${lastPoll} <= on (server) ${String(at.pollStale.intervals)} * ${pollInterval}`;

const reading: readonly Alert[] = [
  {
    ...of,
    name: 'VB365ServerUnreachable',
    severity: 'critical',
    expr: secondsLeft(unreachable),
    for: at.serverUnreachable.for,
    summary: 'The VB365 server {{ $labels.server }} is unreachable.',
    description: `The exporter cannot read from {{ $labels.server }}. Check that the REST API service runs and that port 4443 is reachable. ${lostIn}`,
  },
  {
    ...of,
    name: 'VB365AuthFailing',
    severity: 'critical',
    expr: secondsLeft(refused),
    for: at.authFailing.for,
    summary: 'The VB365 server {{ $labels.server }} refuses the login.',
    description: `{{ $labels.server }} refuses the login of the exporter. Check the account: locked, expired, MFA enabled, no longer a Veeam administrator, or a changed password. ${lostIn}`,
  },
  {
    ...of,
    name: 'VB365PollStale',
    severity: 'critical',
    expr: secondsLeft(stale),
    for: at.pollStale.for,
    summary: 'The last complete poll of the VB365 server {{ $labels.server }} is too old.',
    description: `No poll of {{ $labels.server }} was complete for ${String(at.pollStale.ageSeconds / 60)} minutes and ${String(at.pollStale.intervals)} poll intervals. Check vb365_poll_errors_total and the log of the exporter for the reason. ${lostIn}`,
  },
  {
    ...of,
    name: 'VB365PollErrors',
    severity: 'warning',
    expr: `${incomplete(at.pollErrors.window)}
unless ${slowPolls}
or
${incomplete(at.pollErrors.slowWindow)}
and ${slowPolls}`,
    for: at.pollErrors.for,
    summary: 'Many polls of the VB365 server {{ $labels.server }} fail.',
    description:
      '{{ $value | humanizePercentage }} of the polls of {{ $labels.server }} were incomplete. Check vb365_poll_errors_total by reason, then the log of the exporter.',
  },
  {
    ...of,
    name: 'VB365ApiThrottled',
    severity: 'warning',
    expr: `${pollErrors('throttled', at.apiThrottled.window)} > ${String(at.apiThrottled.times)}`,
    for: at.apiThrottled.for,
    summary: 'The VB365 server {{ $labels.server }} throttles the exporter.',
    description: `{{ $labels.server }} throttled ${count} reads of the exporter. Raise poll_interval and open_poll_interval, and check which other clients use that server.`,
  },
  {
    ...of,
    name: 'VB365ApiSlow',
    severity: 'warning',
    expr: `histogram_quantile(0.95, sum by (server, le) (rate(vb365_api_request_duration_seconds_bucket[${at.apiSlow.window}]))) > ${String(at.apiSlow.p95Seconds)}`,
    for: at.apiSlow.for,
    summary: 'The VB365 server {{ $labels.server }} answers slowly.',
    description:
      'The slowest 5 % of the requests to {{ $labels.server }} take {{ $value | humanizeDuration }} or more. Check the load of the server and its database.',
  },
  {
    ...of,
    name: 'VB365ChangeFeedInactive',
    severity: 'info',
    expr: `${highest('vb365_change_feed_active')} == 0
and on (server)
${highest('vb365_server_info{api_version=~"v([89]|[1-9][0-9]+)"}')}
and on (server)
${highest('vb365_server_up')} == 1`,
    for: at.changeFeedInactive.for,
    summary: 'The exporter does not use the change feed of the VB365 server {{ $labels.server }}.',
    description:
      '{{ $labels.server }} has a change feed, but the exporter polls instead. Nothing is lost. The log of the exporter contains the reason.',
  },
  {
    ...of,
    name: 'VB365ReconcileMissedSessions',
    severity: 'warning',
    expr: risen('vb365_reconcile_missed_sessions_total', 'server', at.reconcileMissed.window),
    summary: 'The change feed of the VB365 server {{ $labels.server }} missed restore sessions.',
    description: `The change feed of {{ $labels.server }} did not report ${count} session(s). A full list scan found and counted them. The log of the exporter names up to 10 per poll. Report them to Veeam with version and time.`,
  },
  {
    ...of,
    name: 'VB365InstallationChanged',
    severity: 'warning',
    expr: risen('vb365_installation_changes_total', 'server', at.installationChanged.window),
    summary: 'The VB365 server {{ $labels.server }} is another installation than before.',
    description:
      '{{ $labels.server }} returns another installation id than before. The exporter does not count its earlier history. If nobody replaced the server, check where its url leads.',
  },
];

const trust: readonly Alert[] = [
  {
    ...of,
    name: 'VB365TlsVerificationOff',
    severity: 'warning',
    expr: `${lowest('vb365_tls_verification_enabled')} == 0`,
    for: at.tlsVerificationOff.for,
    summary: 'The certificate of the VB365 server {{ $labels.server }} is not verified.',
    description:
      'An attacker between the exporter and {{ $labels.server }} can read the password. Set tls.ca_file or tls.server_fingerprint, and remove insecure_skip_verify.',
  },
  {
    ...of,
    ...expiresWithin(at.certificateExpiresSoon),
    name: 'VB365CertificateExpiresSoon',
    severity: 'warning',
    summary: 'The certificate of the VB365 server {{ $labels.server }} expires soon.',
  },
  {
    ...of,
    ...expiresWithin(at.certificateExpiresVerySoon),
    name: 'VB365CertificateExpiresVerySoon',
    severity: 'critical',
    summary: 'The certificate of the VB365 server {{ $labels.server }} expires within a day.',
  },
  {
    ...of,
    name: 'VB365CertificateExpired',
    severity: 'critical',
    expr: `-(${toExpiry}) >= 0
${unlessNotChecked}`,
    for: at.certificateExpired.for,
    summary: 'The certificate of the VB365 server {{ $labels.server }} has expired.',
    description: `The certificate of {{ $labels.server }} expired {{ $value | humanizeDuration }} ago, and the exporter refuses it. Renew it in VB365, and update the authority in the configuration if it changes. ${lostAfter}`,
  },
  {
    ...of,
    name: 'VB365ClockSkew',
    severity: 'warning',
    expr: `max ${per} (abs(${lastKnown('vb365_clock_skew_seconds')})) > ${String(at.clockSkew.seconds)}`,
    for: at.clockSkew.for,
    summary: 'The clocks of the VB365 server {{ $labels.server }} and the exporter differ.',
    description:
      'The clock of {{ $labels.server }} differs from that of the exporter by {{ $value | humanizeDuration }}. Check time synchronization on both machines.',
  },
  {
    ...of,
    name: 'VB365UnknownValues',
    severity: 'info',
    expr: risen('vb365_unknown_values_total', 'server, field', at.unknownValues.window),
    summary: 'The VB365 server {{ $labels.server }} returns values that the exporter does not know.',
    description: `{{ $labels.server }} returned ${count} unknown value(s) of {{ $labels.field }}, counted as "other". The log of the exporter names up to 10 per delivery. Check whether a newer exporter supports that product version.`,
  },
];

export const serverAlerts: readonly Alert[] = [...reading, ...trust];
