import { family } from './family.js';

export const restoreEvents = family({
  type: 'counter',
  name: 'vb365_restore_events_total',
  help: 'Restore events that reached a final status, one per item of a restore session.',
  unit: 'events',
  labels: ['server', 'organization', 'workload', 'event_type', 'status'],
  stored: true,
  held: true,
  example: 'sum by (organization) (increase(vb365_restore_events_total{status="Failed"}[1h]))',
});

export const restoreItemDuration = family({
  type: 'histogram',
  name: 'vb365_restore_item_duration_seconds',
  help: 'Time one item took, of events with status Success, Warning or Failed and any type but None.',
  unit: 'seconds',
  labels: ['server', 'workload', 'event_type'],
  buckets: [0.001, 0.01, 0.1, 0.5, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400],
  stored: true,
  example: 'histogram_quantile(0.95, sum by (le, workload) (rate(vb365_restore_item_duration_seconds_bucket[1h])))',
});

export const restoreItemBytes = family({
  type: 'counter',
  name: 'vb365_restore_item_bytes_total',
  help: 'Size of the items of events with status Success or Warning, as far as the server tells it.',
  unit: 'bytes',
  labels: ['server', 'organization', 'workload', 'event_type'],
  stored: true,
  example: 'sum by (organization) (increase(vb365_restore_item_bytes_total[1d]))',
});

export const restoreSessions = family({
  type: 'counter',
  name: 'vb365_restore_sessions_total',
  help: 'Restore sessions that stopped, by their final result.',
  unit: 'sessions',
  labels: ['server', 'organization', 'workload', 'result'],
  stored: true,
  held: true,
  example: 'sum by (server, result) (increase(vb365_restore_sessions_total[1d]))',
});

export const restoreSessionDuration = family({
  type: 'histogram',
  name: 'vb365_restore_session_duration_seconds',
  help: 'Time from the creation of a restore session to its end.',
  unit: 'seconds',
  labels: ['server', 'workload'],
  buckets: [1, 10, 60, 300, 900, 1800, 3600, 14_400, 43_200, 86_400],
  stored: true,
  example: 'histogram_quantile(0.5, sum by (le) (increase(vb365_restore_session_duration_seconds_bucket[7d])))',
});

export const restoreSessionsOpen = family({
  type: 'gauge',
  name: 'vb365_restore_sessions_open',
  help: 'Restore sessions that were open in the last complete discovery.',
  unit: 'sessions',
  labels: ['server', 'organization', 'workload'],
  stored: false,
  example: 'sum by (server) (vb365_restore_sessions_open)',
});

export const oldestOpenSessionStart = family({
  type: 'gauge',
  name: 'vb365_restore_oldest_open_session_start_timestamp_seconds',
  help: 'When the oldest restore session that is still open was created, by the clock of the server; absent while none is open.',
  unit: 'seconds since 1970',
  labels: ['server'],
  stored: false,
  example: 'time() - vb365_restore_oldest_open_session_start_timestamp_seconds > 86400',
});

export const lastEvent = family({
  type: 'gauge',
  name: 'vb365_restore_last_event_timestamp_seconds',
  help: 'When the newest restore event with this status happened, by the clock of the server.',
  unit: 'seconds since 1970',
  labels: ['server', 'organization', 'status'],
  stored: true,
  example: 'time() - max by (organization) (vb365_restore_last_event_timestamp_seconds{status="Failed"}) < 300',
});

export const eventsAbandoned = family({
  type: 'counter',
  name: 'vb365_restore_events_abandoned_total',
  help: 'Events that never became final, or never appeared, within the grace time after their session stopped.',
  unit: 'events',
  labels: ['server'],
  stored: true,
  example: 'increase(vb365_restore_events_abandoned_total[1d]) > 0',
});

export const eventCorrections = family({
  type: 'counter',
  name: 'vb365_event_corrections_total',
  help: 'Events whose final status the server changed after it had been counted; the count stays.',
  unit: 'events',
  labels: ['server'],
  stored: true,
  example: 'increase(vb365_event_corrections_total[1d]) > 0',
});
