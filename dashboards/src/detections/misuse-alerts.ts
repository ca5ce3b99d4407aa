import { lostIn, secondsLeft } from '../outage.js';
import { forTenant, lastKnown, risen } from '../rule.js';
import { thresholds } from '../thresholds.js';
import { unusual } from '../unusual.js';
import type { MetricDetection } from './detection.js';

const at = thresholds.misuse;
const ofServer = { component: 'security', dashboard: 'exporter', about: ['server'] } as const;
const per = 'by (server)';
const count = '{{ $value | printf "%.0f" }}';

/** How many errors with these reasons polls had. */
const pollErrors = (reasons: string, window: string): string =>
  `sum ${per} (increase(vb365_poll_errors_total{reason=~"${reasons}"}[${window}]))`;

const logins = 'vb365_logins_refused_total';

/** With a poll interval of more than that, polls are too rare for a window. */
const slower = ({ slowSeconds }: Readonly<{ slowSeconds: number }>): string => `and on (server)
max ${per} (${lastKnown('vb365_poll_interval_seconds')}) > ${String(slowSeconds)}`;

const failedLogins = `${risen(logins, 'server', at.failedLogins.window)} > ${String(at.failedLogins.times)}
or
${risen(logins, 'server', at.failedLogins.slowWindow)} > ${String(at.failedLogins.times)}
${slower(at.failedLogins)}`;

/** Neither poll nor feed gets an answer, and a login was refused since the server was last up. */
const blinded = `max ${per} (${lastKnown('vb365_server_up')}) == 0
and on (server)
max ${per} (${lastKnown('vb365_change_feed_active')}) == 0
and on (server)
(
  ${pollErrors('network|timeout', at.exporterBlinded.networkWindow)} > ${String(at.exporterBlinded.networkErrors)}
or
  ${pollErrors('network|timeout', at.exporterBlinded.slowWindow)} > 0
  ${slower(at.exporterBlinded)}
)
and on (server)
max ${per} (${lastKnown(logins)}) > on (server) last_over_time(server:vb365_logins_refused:when_up[${at.exporterBlinded.memory}])`;

/** Detections for which metrics suffice. */
export const misuseAlerts: readonly MetricDetection[] = [
  {
    component: 'security',
    dashboard: 'organization',
    about: ['server', 'organization'],
    name: 'VB365MisuseMassView',
    triedWith: 'mass-view',
    severity: 'warning',
    detects: 'Mass view',
    attack: ['T1213', 'T1119'],
    falsePositives: 'A search in a large mailbox for a legal case.',
    expr: unusual('restore_items_viewed', at.massView),
    keepFiringFor: at.massView.keepFiringFor,
    lookBack: '2d',
    summary: `Far more items than usual were viewed${forTenant}.`,
    description: `${count} items were viewed in one hour${forTenant}, more than ${String(at.massView.timesBusiest)} times as many as in the busiest hour of the week before. Check initiator, client host and reason in the log records.`,
  },
  {
    ...ofServer,
    name: 'VB365MisuseExporterBlinded',
    triedWith: 'blind-exporter',
    severity: 'critical',
    detects: 'Exporter blinded: feed inactive and server unreachable after failed logins',
    attack: ['T1562.008', 'T1531'],
    falsePositives:
      'A restart of the server, if it refuses a login and no poll succeeds before the connection is lost.',
    expr: secondsLeft(blinded),
    summary: 'The VB365 server {{ $labels.server }} refused the login of the exporter and no longer answers.',
    description: `{{ $labels.server }} refused the login of the exporter and has been unreachable since. Somebody may be hiding what happens there. Check who changed the account and the firewall. ${lostIn}`,
  },
  {
    ...ofServer,
    name: 'VB365MisuseSessionsDeleted',
    triedWith: 'delete-sessions',
    severity: 'warning',
    detects: 'Deletion of sessions at the server',
    attack: ['T1070'],
    falsePositives: 'The configuration database was restored from a backup.',
    expr: risen('vb365_restore_sessions_deleted_total', 'server', at.sessionsDeleted.window),
    keepFiringFor: at.sessionsDeleted.keepFiringFor,
    summary: 'Recent restore sessions were deleted on the VB365 server {{ $labels.server }}.',
    description: `${count} restore session(s) that were younger than a week disappeared from {{ $labels.server }}. Its own retention keeps them longer. The log of the exporter names up to 10 per poll; the log store still has their records.`,
  },
  {
    ...ofServer,
    name: 'VB365MisuseFailedLogins',
    triedWith: 'failed-logins',
    severity: 'warning',
    detects: 'Many failed logins of our account',
    attack: ['T1110', 'T1531'],
    falsePositives: 'A changed or expired password.',
    expr: failedLogins,
    summary: 'The VB365 server {{ $labels.server }} keeps refusing the login of the exporter.',
    description: `{{ $labels.server }} refused ${count} logins of the exporter within ${at.failedLogins.window} (${at.failedLogins.slowWindow} with slow polls). If nobody changed the account, somebody may be guessing its password until it is locked. Check its lockouts and sign-ins.`,
  },
];
