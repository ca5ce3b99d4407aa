import { type Alert, forTenant, lastKnown, risen } from './rule.js';
import { thresholds as at } from './thresholds.js';
import { unusual } from './unusual.js';

const of = { component: 'restore', dashboard: 'organization', about: ['server', 'organization'] } as const;
const ofWorkload = { ...of, about: ['server', 'organization', 'workload'] } as const;
const ofServer = { ...of, dashboard: 'fleet', about: ['server'] } as const;
const share = '{{ $value | humanizePercentage }}';
const count = '{{ $value | printf "%.0f" }}';

/**
 * How much a counter of failures rose. Three ways to detect it, the exact one first. The difference to the lowest value in the
 * window is a whole number. `increase` would return 2 for a first failure in the second scrape, but handles counter resets.
 * The last one compares with the value before the window and finds failures counted while scrapes were missed. It needs an
 * older value: without one (a new Prometheus) an old total would look new.
 */
const rise = (failed: string, by: string): string => `sum by (${by}) (
    (${failed} - min_over_time(${failed}[${at.restoreEventFailed.window}]) > 0)
  or
    (increase(${failed}[${at.restoreEventFailed.window}]) > 0)
  or
    (${failed} - last_over_time(${failed}[${at.restoreEventFailed.memory}] offset ${at.restoreEventFailed.window}) > 0)
)`;

const itemsFailed = 'organization:vb365_restore_items_failed:max';
const perWorkload = 'server, organization, workload';

const ratio = (short: string, long: string, limits: typeof at.failureRatioHigh | typeof at.failureRatioElevated) =>
  `organization:vb365_restore_sessions_failed:ratio${short} > ${String(limits.shortRatio)}
and
organization:vb365_restore_sessions_failed:ratio${long} > ${String(limits.longRatio)}
and
organization:vb365_restore_sessions:increase${short} >= ${String(limits.shortSessions)}`;

export const restoreAlerts: readonly Alert[] = [
  {
    ...ofWorkload,
    name: 'VB365RestoreEventFailed',
    severity: 'warning',
    expr: rise(itemsFailed, `${perWorkload}, event_type`),
    summary: `Items failed${forTenant}.`,
    description: `${count} {{ $labels.workload }} item(s) failed ({{ $labels.event_type }})${forTenant} within ${at.restoreEventFailed.window}. Their log records name the items and the errors.`,
  },
  {
    ...ofWorkload,
    name: 'VB365RestoreSessionFailed',
    severity: 'warning',
    expr: rise('organization:vb365_restore_sessions_failed_without_item:max', perWorkload),
    summary: `Restore sessions failed${forTenant}.`,
    description: `${count} {{ $labels.workload }} restore session(s) failed${forTenant}, although none of their items counts as failed. Check error.message in the log records of these sessions, then the sessions in VB365.`,
  },
  {
    ...of,
    name: 'VB365RestoreFailureRatioHigh',
    severity: 'warning',
    expr: ratio('1h', '6h', at.failureRatioHigh),
    for: at.failureRatioHigh.for,
    summary: `Many restore sessions fail${forTenant}.`,
    description: `${share} of the restore sessions of the last hour failed${forTenant}. Compare the errors of the failed items; they probably have one cause.`,
  },
  {
    ...of,
    name: 'VB365RestoreFailureRatioElevated',
    severity: 'warning',
    expr: ratio('6h', '3d', at.failureRatioElevated),
    for: at.failureRatioElevated.for,
    lookBack: '7d',
    summary: `Restore sessions fail too often${forTenant}.`,
    description: `${share} of the restore sessions of the last 6 hours failed${forTenant}. Find the most frequent workload and error.`,
  },
  {
    ...ofServer,
    name: 'VB365RestoreSessionStuck',
    severity: 'warning',
    expr: `time() - min by (server) (${lastKnown('vb365_restore_oldest_open_session_start_timestamp_seconds')}) > ${String(at.restoreSessionStuck.ageSeconds)}`,
    for: at.restoreSessionStuck.for,
    summary: 'A restore session has been open for too long on {{ $labels.server }}.',
    description:
      'The oldest open restore session of {{ $labels.server }} was created {{ $value | humanizeDuration }} ago. Ask its initiator whether it is still needed. An Explorer left open keeps the backup mounted.',
  },
  {
    ...of,
    name: 'VB365RestoreVolumeUnusual',
    severity: 'info',
    expr: unusual('restore_items', at.restoreVolumeUnusual),
    for: at.restoreVolumeUnusual.for,
    keepFiringFor: at.restoreVolumeUnusual.keepFiringFor,
    lookBack: '7d',
    summary: `Far more items than usual were viewed, restored or taken out${forTenant}.`,
    description: `${count} items in one hour${forTenant}, more than ${String(at.restoreVolumeUnusual.timesBusiest)} times as many as in the busiest hour of the week before. Check who opened the sessions and whether a mass restore is planned.`,
  },
  {
    ...of,
    name: 'VB365RestoreExportUnusual',
    severity: 'warning',
    expr: unusual('restore_items_taken_out', at.restoreExportUnusual),
    for: at.restoreExportUnusual.for,
    keepFiringFor: at.restoreExportUnusual.keepFiringFor,
    lookBack: '2d',
    summary: `Far more items than usual were saved, exported or sent${forTenant}.`,
    description: `${count} items left the backup in one hour${forTenant}, more than ${String(at.restoreExportUnusual.timesBusiest)} times as many as in the busiest hour of the week before. Check initiator, target and reason in the log records.`,
  },
  {
    ...ofServer,
    name: 'VB365RestoreEventsAbandoned',
    severity: 'warning',
    expr: risen('vb365_restore_events_abandoned_total', 'server', at.restoreEventsAbandoned.window),
    summary: 'Restore events of {{ $labels.server }} never became final.',
    description: `The exporter gave up ${count} event(s) of {{ $labels.server }}: they were still missing or running long after their session had stopped. The log of the exporter names up to 10 sessions per delivery, with the orders and the reason. Check them in VB365.`,
  },
  {
    ...ofServer,
    name: 'VB365EventCorrections',
    severity: 'info',
    expr: risen('vb365_event_corrections_total', 'server', at.eventCorrections.window),
    lookBack: '3d',
    summary: 'The server {{ $labels.server }} changed the status of events after they were counted.',
    description: `${count} event(s) of {{ $labels.server }} got another final status after they were counted. Counters do not change. The log of the exporter names up to 10 of them per delivery, with the old and the new status.`,
  },
];
