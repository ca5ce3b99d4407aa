import { type Alert, processStart } from './rule.js';
import { thresholds as at } from './thresholds.js';

const of = { component: 'server', dashboard: 'exporter' } as const;
const per = 'by (job, instance, server)';
const count = '{{ $value | printf "%.0f" }}';

const certificate = (limits: Readonly<{ leftSeconds: number; for: string }>) => ({
  expr: `min ${per} (vb365_certificate_expiry_timestamp_seconds - time()) < ${String(limits.leftSeconds)}`,
  for: limits.for,
  description:
    'The certificate of {{ $labels.server }} expires in {{ $value | humanizeDuration }}. Renew it in VB365, and update the pinned fingerprint or authority in the configuration.',
});

const reading: readonly Alert[] = [
  {
    ...of,
    name: 'VB365ServerUnreachable',
    severity: 'critical',
    expr: `max ${per} (max_over_time(vb365_server_up[${at.serverUnreachable.window}])) == 0`,
    for: at.serverUnreachable.for,
    summary: 'A VB365 server is unreachable.',
    description:
      '{{ $labels.instance }} cannot read from {{ $labels.server }}. Check that the REST API service runs and that port 4443 is reachable.',
  },
  {
    ...of,
    name: 'VB365AuthFailing',
    severity: 'critical',
    expr: `sum ${per} (increase(vb365_poll_errors_total{reason="auth"}[${at.authFailing.window}])) > 0
unless
sum ${per} (increase(vb365_polls_total{result="complete"}[${at.authFailing.window}])) > 0`,
    for: at.authFailing.for,
    summary: 'A VB365 server refuses the login.',
    description:
      '{{ $labels.server }} refuses the login of {{ $labels.instance }}. Check the account: locked, expired, MFA enabled, no longer a Veeam administrator, or a changed password.',
  },
  {
    ...of,
    name: 'VB365PollStale',
    severity: 'critical',
    expr: `time() - max ${per} (
    vb365_last_successful_poll_timestamp_seconds
  or
    ${processStart('vb365_server_up')}
) > ${String(at.pollStale.ageSeconds)}`,
    for: at.pollStale.for,
    summary: 'The last complete poll of a VB365 server is too old.',
    description:
      'The last complete poll of {{ $labels.server }} was {{ $value | humanizeDuration }} ago. Check vb365_poll_errors_total and the log of {{ $labels.instance }} for the reason.',
  },
  {
    ...of,
    name: 'VB365PollErrors',
    severity: 'warning',
    expr: `sum ${per} (rate(vb365_polls_total{result!="complete"}[${at.pollErrors.window}]))
/
(sum ${per} (rate(vb365_polls_total[${at.pollErrors.window}])) > 0)
> ${String(at.pollErrors.ratio)}`,
    for: at.pollErrors.for,
    summary: 'Many polls of a VB365 server fail.',
    description:
      '{{ $value | humanizePercentage }} of the polls of {{ $labels.server }} were incomplete. Check vb365_poll_errors_total by reason, then the log of {{ $labels.instance }}.',
  },
  {
    ...of,
    name: 'VB365ApiThrottled',
    severity: 'warning',
    expr: `sum ${per} (increase(vb365_poll_errors_total{reason="throttled"}[${at.apiThrottled.window}])) > ${String(at.apiThrottled.times)}`,
    for: at.apiThrottled.for,
    summary: 'A VB365 server throttles the exporter.',
    description: `{{ $labels.server }} throttled ${count} requests of {{ $labels.instance }}. Raise poll_interval and open_poll_interval, and check which other clients use that server.`,
  },
  {
    ...of,
    name: 'VB365ApiSlow',
    severity: 'warning',
    expr: `histogram_quantile(0.95, sum by (job, instance, server, le) (rate(vb365_api_request_duration_seconds_bucket[${at.apiSlow.window}]))) > ${String(at.apiSlow.p95Seconds)}`,
    for: at.apiSlow.for,
    summary: 'A VB365 server answers slowly.',
    description:
      'The slowest 5 % of the requests to {{ $labels.server }} take {{ $value | humanizeDuration }} or more. Check the load of the server and its database.',
  },
  {
    ...of,
    name: 'VB365ChangeFeedInactive',
    severity: 'info',
    expr: `vb365_change_feed_active == 0
and on (job, instance, server)
vb365_server_info{api_version=~"v([89]|[1-9][0-9]+)"}`,
    for: at.changeFeedInactive.for,
    summary: 'The exporter does not use the change feed of a VB365 server.',
    description:
      '{{ $labels.server }} has a change feed, but {{ $labels.instance }} polls instead. Nothing is lost. The log of {{ $labels.instance }} contains the reason.',
  },
  {
    ...of,
    name: 'VB365ReconcileMissedSessions',
    severity: 'warning',
    expr: `sum ${per} (increase(vb365_reconcile_missed_sessions_total[${at.reconcileMissed.window}])) > 0`,
    summary: 'The change feed of a VB365 server missed restore sessions.',
    description: `The change feed of {{ $labels.server }} did not report ${count} session(s). A full list scan found and counted them. Report it to Veeam with version and time.`,
  },
  {
    ...of,
    name: 'VB365InstallationChanged',
    severity: 'warning',
    expr: `sum ${per} (increase(vb365_installation_changes_total[${at.installationChanged.window}])) > 0`,
    summary: 'A VB365 server is another installation than before.',
    description:
      '{{ $labels.server }} returns another installation id than before. {{ $labels.instance }} does not count its earlier history. If nobody replaced the server, check where its url leads.',
  },
];

const trust: readonly Alert[] = [
  {
    ...of,
    name: 'VB365TlsVerificationOff',
    severity: 'warning',
    expr: `min ${per} (vb365_tls_verification_enabled) == 0`,
    for: at.tlsVerificationOff.for,
    summary: 'The certificate of a VB365 server is not verified.',
    description:
      'An attacker between {{ $labels.instance }} and {{ $labels.server }} can read the password. Set tls.ca_file or tls.server_fingerprint, and remove insecure_skip_verify.',
  },
  {
    ...of,
    ...certificate(at.certificateExpiresSoon),
    name: 'VB365CertificateExpiresSoon',
    severity: 'warning',
    summary: 'The certificate of a VB365 server expires soon.',
  },
  {
    ...of,
    ...certificate(at.certificateExpiresVerySoon),
    name: 'VB365CertificateExpiresVerySoon',
    severity: 'critical',
    summary: 'The certificate of a VB365 server expires within days.',
  },
  {
    ...of,
    name: 'VB365ClockSkew',
    severity: 'warning',
    expr: `max ${per} (abs(vb365_clock_skew_seconds)) > ${String(at.clockSkew.seconds)}`,
    for: at.clockSkew.for,
    summary: 'The clocks of a VB365 server and the exporter differ.',
    description:
      'The clock of {{ $labels.server }} differs from that of {{ $labels.instance }} by {{ $value | humanizeDuration }}. Check time synchronization on both machines.',
  },
  {
    ...of,
    name: 'VB365UnknownValues',
    severity: 'info',
    expr: `sum by (job, instance, server, field) (increase(vb365_unknown_values_total[${at.unknownValues.window}])) > 0`,
    summary: 'A VB365 server returns values that the exporter does not know.',
    description: `{{ $labels.server }} returned ${count} unknown value(s) of {{ $labels.field }}, counted as "other". Check whether a newer exporter supports that product version.`,
  },
];

export const serverAlerts: readonly Alert[] = [...reading, ...trust];
