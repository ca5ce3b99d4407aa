import type { Alert } from './rule.js';
import { thresholds as at } from './thresholds.js';

const failed = 'vb365_restore_events_total{status="Failed"}';
const of = { component: 'restore', dashboard: 'organization' } as const;
const tenant = '{{ $labels.organization }} on {{ $labels.server }}';
const share = '{{ $value | humanizePercentage }}';
const count = '{{ $value | printf "%.0f" }}';

/**
 * Three ways to detect a failure, the exact one first. The difference to the lowest value in the window is a whole number.
 * `increase` would return 2 for a first failure in the second scrape, but handles counter resets. The last one compares
 * with the value before the window and finds failures counted while scrapes were missed. It needs an older value:
 * without one (a new Prometheus, a new `instance`) an old total would look new.
 */
const failedEvents = `sum by (job, server, organization, workload) (
    (${failed} - min_over_time(${failed}[${at.restoreEventFailed.window}]) > 0)
  or
    (increase(${failed}[${at.restoreEventFailed.window}]) > 0)
  or
    (${failed} - last_over_time(${failed}[${at.restoreEventFailed.memory}] offset ${at.restoreEventFailed.window}) > 0)
)`;

const ratio = (short: string, long: string, limits: typeof at.failureRatioHigh | typeof at.failureRatioElevated) =>
  `organization:vb365_restore_sessions_failed:ratio${short} > ${String(limits.shortRatio)}
and
organization:vb365_restore_sessions_failed:ratio${long} > ${String(limits.longRatio)}
and
organization:vb365_restore_sessions:increase${short} >= ${String(limits.shortSessions)}`;

const unusual = (what: string, { itemsPerHour, timesMean }: { itemsPerHour: number; timesMean: number }) =>
  `organization:vb365_${what}:increase1h > ${String(itemsPerHour)}
and
organization:vb365_${what}:increase1h > ${String(timesMean)} * organization:vb365_${what}:mean_hour_of_week`;

export const restoreAlerts: readonly Alert[] = [
  {
    ...of,
    name: 'VB365RestoreEventFailed',
    severity: 'warning',
    expr: failedEvents,
    summary: 'Restore events failed.',
    description: `${count} item(s) of {{ $labels.workload }} failed for ${tenant} within ${at.restoreEventFailed.window}. The log records of that organization name the items and the errors.`,
  },
  {
    ...of,
    name: 'VB365RestoreFailureRatioHigh',
    severity: 'critical',
    expr: ratio('1h', '6h', at.failureRatioHigh),
    for: at.failureRatioHigh.for,
    summary: 'Many restore sessions of an organization fail.',
    description: `${share} of the restore sessions of the last hour failed for ${tenant}. Compare the errors of the failed items; they probably have one cause.`,
  },
  {
    ...of,
    name: 'VB365RestoreFailureRatioElevated',
    severity: 'warning',
    expr: ratio('6h', '3d', at.failureRatioElevated),
    for: at.failureRatioElevated.for,
    summary: 'Restore sessions of an organization fail too often.',
    description: `${share} of the restore sessions of the last 6 hours failed for ${tenant}. Find the most frequent workload and error.`,
  },
  {
    ...of,
    name: 'VB365RestoreSessionStuck',
    dashboard: 'fleet',
    severity: 'warning',
    expr: `max by (job, server) (time() - vb365_restore_oldest_open_session_start_timestamp_seconds) > ${String(at.restoreSessionStuck.ageSeconds)}`,
    for: at.restoreSessionStuck.for,
    summary: 'A restore session has been open for too long.',
    description:
      'The oldest open restore session of {{ $labels.server }} was created {{ $value | humanizeDuration }} ago. Ask its initiator whether it is still needed. An Explorer left open keeps the backup mounted.',
  },
  {
    ...of,
    name: 'VB365RestoreVolumeUnusual',
    severity: 'info',
    expr: unusual('restore_items', at.restoreVolumeUnusual),
    for: at.restoreVolumeUnusual.for,
    summary: 'Many more items are restored than usual.',
    description: `${count} items in one hour for ${tenant}, more than ${String(at.restoreVolumeUnusual.timesMean)} times the mean of the week before. Check who opened the sessions and whether a mass restore is planned.`,
  },
  {
    ...of,
    name: 'VB365RestoreExportUnusual',
    severity: 'info',
    expr: unusual('restore_items_taken_out', at.restoreExportUnusual),
    for: at.restoreExportUnusual.for,
    summary: 'Many more items are saved, exported or sent than usual.',
    description: `${count} items left the backup in one hour for ${tenant}, more than ${String(at.restoreExportUnusual.timesMean)} times the mean of the week before. Check initiator, target and reason in the log records.`,
  },
  {
    ...of,
    name: 'VB365RestoreEventsAbandoned',
    dashboard: 'fleet',
    severity: 'warning',
    expr: `sum by (job, server) (increase(vb365_restore_events_abandoned_total[${at.restoreEventsAbandoned.window}])) > 0`,
    summary: 'Restore events never became final.',
    description: `The exporter gave up ${count} event(s) of {{ $labels.server }}: they were still missing or running long after their session had stopped. Check the sessions in VB365.`,
  },
  {
    ...of,
    name: 'VB365EventCorrections',
    dashboard: 'fleet',
    severity: 'info',
    expr: `sum by (job, server) (increase(vb365_event_corrections_total[${at.eventCorrections.window}])) > 0`,
    summary: 'The server changed the status of events after they were counted.',
    description: `${count} event(s) of {{ $labels.server }} got another final status after they were counted. Counters do not change. The log of the exporter names up to 10 of the sessions per delivery.`,
  },
];
