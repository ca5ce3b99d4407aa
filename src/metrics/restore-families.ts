import { itemTypes } from '../model/event.js';
import { ownerRelations } from '../model/owner.js';
import { counter, gauge, histogram } from './family.js';

export const restoreEvents = counter({
  name: 'vb365_restore_events_total',
  help: 'Total number of restore events that reached a final status, by type and status.',
  unit: 'events',
  labels: ['server', 'organization', 'workload', 'event_type', 'status'],
  stored: true,
  held: true,
  example: 'sum by (organization) (increase(vb365_restore_events_total{status="Failed"}[1h]))',
});

export const restoreOwnerEvents = counter({
  name: 'vb365_restore_owner_events_total',
  help: 'Total number of restore events of any type but None, by whether the initiator of the session owns the data: self, other, or unknown where the server does not say.',
  unit: 'events',
  labels: ['server', 'organization', 'relation'],
  known: { relation: ownerRelations },
  stored: true,
  held: true,
  example: 'sum by (server, organization) (increase(vb365_restore_owner_events_total{relation="other"}[1h])) > 0',
});

export const restoreItemDuration = histogram({
  name: 'vb365_restore_item_duration_seconds',
  help: 'Time to restore an item in seconds, for events with status Success, Warning or Failed, except those of type None.',
  unit: 'seconds',
  labels: ['server', 'workload', 'event_type'],
  buckets: [0.001, 0.01, 0.1, 0.5, 2.5, 5, 10, 30, 60, 300, 900, 3600, 14_400],
  stored: true,
  example: 'histogram_quantile(0.95, sum by (le, workload) (rate(vb365_restore_item_duration_seconds_bucket[1h])))',
});

export const restoreItemBytes = counter({
  name: 'vb365_restore_item_bytes_total',
  help: 'Total size of restored items in bytes, for events with status Success or Warning and a known size.',
  unit: 'bytes',
  labels: ['server', 'organization', 'workload', 'event_type'],
  stored: true,
  example: 'sum by (organization) (increase(vb365_restore_item_bytes_total[1d]))',
});

export const restoreSessions = counter({
  name: 'vb365_restore_sessions_total',
  help: 'Total number of restore sessions that stopped, by result.',
  unit: 'sessions',
  labels: ['server', 'organization', 'workload', 'result'],
  stored: true,
  held: true,
  example: 'sum by (server, result) (increase(vb365_restore_sessions_total[1d]))',
});

export const restoreSessionsFailed = counter({
  name: 'vb365_restore_sessions_failed_total',
  help: 'Total number of restore sessions that failed, counted once their last events were read, by the type of a failed item: with several the first of Restore, Export, Save, Send, other and View, without one None.',
  unit: 'sessions',
  labels: ['server', 'organization', 'workload', 'event_type'],
  known: { event_type: ['None', ...itemTypes] },
  stored: true,
  held: true,
  example: 'sum by (server, organization) (increase(vb365_restore_sessions_failed_total{event_type="None"}[1h])) > 0',
});

export const restoreSessionsDeleted = counter({
  name: 'vb365_restore_sessions_deleted_total',
  help: 'Total number of restore sessions that disappeared from the server within 7 days after their creation, before its retention may delete them.',
  unit: 'sessions',
  labels: ['server'],
  stored: true,
  held: true,
  onFirstUse: true,
  example: 'increase(vb365_restore_sessions_deleted_total[1h]) > 0',
});

export const restoreSessionDuration = histogram({
  name: 'vb365_restore_session_duration_seconds',
  help: 'Duration of restore sessions in seconds, from creation to end.',
  unit: 'seconds',
  labels: ['server', 'workload'],
  buckets: [1, 10, 60, 300, 900, 1800, 3600, 14_400, 43_200, 86_400],
  stored: true,
  example: 'histogram_quantile(0.5, sum by (le) (increase(vb365_restore_session_duration_seconds_bucket[7d])))',
});

export const restoreSessionsOpen = gauge({
  name: 'vb365_restore_sessions_open',
  help: 'Number of restore sessions that were open at the last complete poll.',
  unit: 'sessions',
  labels: ['server', 'organization', 'workload'],
  example: 'sum by (server) (vb365_restore_sessions_open)',
});

export const oldestOpenSessionStart = gauge({
  name: 'vb365_restore_oldest_open_session_start_timestamp_seconds',
  help: 'Unix time at which the oldest open restore session was created, by the server clock. Absent while none is open.',
  unit: 'seconds since 1970',
  labels: ['server'],
  example: 'time() - vb365_restore_oldest_open_session_start_timestamp_seconds > 86400',
});

export const lastEvent = gauge({
  name: 'vb365_restore_last_event_timestamp_seconds',
  help: 'Unix time of the newest restore event with this status, by the server clock.',
  unit: 'seconds since 1970',
  labels: ['server', 'organization', 'status'],
  stored: true,
  example: 'time() - max by (organization) (vb365_restore_last_event_timestamp_seconds{status="Failed"}) < 300',
});

export const eventsAbandoned = counter({
  name: 'vb365_restore_events_abandoned_total',
  help: 'Total number of events that did not appear or become final in time after their session stopped.',
  unit: 'events',
  labels: ['server'],
  stored: true,
  example: 'increase(vb365_restore_events_abandoned_total[1d]) > 0',
});

export const eventCorrections = counter({
  name: 'vb365_event_corrections_total',
  help: 'Total number of events whose status the server changed after they had been counted. The counts stay.',
  unit: 'events',
  labels: ['server'],
  stored: true,
  example: 'increase(vb365_event_corrections_total[1d]) > 0',
});
