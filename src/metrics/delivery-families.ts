import { anomalyKinds, rejectReasons } from '../model/event.js';
import { sinkNames, type Store } from '../pipeline/ports.js';
import { counter, gauge, histogram } from './family.js';
import {
  cappedLabels,
  deliveryErrorReasons,
  receiverErrorReasons,
  deliveryOutcomes,
  loginRefusals,
  vocabularyFields,
} from '../model/labels.js';

export const eventLag = histogram({
  name: 'vb365_event_lag_seconds',
  help: 'Time from the end of an event to its delivery by the sink in seconds, by the server clock. The sum counts at most one day per event.',
  unit: 'seconds',
  labels: ['server', 'sink'],
  known: { sink: sinkNames },
  onFirstUse: true,
  buckets: [1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 14_400, 86_400],
  stored: true,
  example: 'histogram_quantile(0.99, sum by (le, sink) (rate(vb365_event_lag_seconds_bucket[1h])))',
});

export const cursorTime = gauge({
  name: 'vb365_cursor_timestamp_seconds',
  help: 'Unix time at which the sink last had no backlog.',
  unit: 'seconds since 1970',
  labels: ['server', 'sink'],
  known: { sink: sinkNames },
  lasting: true,
  example: 'time() - vb365_cursor_timestamp_seconds > 900',
});

export const sinkBacklog = gauge({
  name: 'vb365_sink_backlog_sessions',
  help: 'Number of restore sessions that the sink still has to read. Sessions that ended before the sink began are history and do not count.',
  unit: 'sessions',
  labels: ['server', 'sink'],
  known: { sink: sinkNames },
  example: 'vb365_sink_backlog_sessions > 10',
});

export const sinkDelivered = counter({
  name: 'vb365_sink_delivered_total',
  help: 'Total number of events and session results sent by the sink, by outcome: delivered at the first attempt, delivered by a retry, or rejected by the receiver.',
  unit: 'events and results',
  labels: ['server', 'sink', 'outcome'],
  known: { sink: sinkNames, outcome: deliveryOutcomes },
  never: { sink: ['metrics'], outcome: ['retried', 'rejected'] },
  stored: true,
  example: 'sum by (sink) (rate(vb365_sink_delivered_total{outcome="rejected"}[15m])) > 0',
});

export const deliveryErrors = counter({
  name: 'vb365_delivery_errors_total',
  help: 'Total number of failed deliveries to the receiver and to the state file, by sink and reason. Attempts to reach a receiver that is down count too.',
  unit: 'errors',
  labels: ['server', 'sink', 'reason'],
  known: { sink: sinkNames, reason: deliveryErrorReasons },
  never: { sink: ['metrics'], reason: receiverErrorReasons },
  onFirstUse: true,
  example: 'sum by (server, sink, reason) (increase(vb365_delivery_errors_total[15m])) > 0',
});

export const eventsRejected = counter({
  name: 'vb365_events_rejected_total',
  help: 'Total number of events that the sink will not deliver, by reason.',
  unit: 'events',
  labels: ['server', 'sink', 'reason'],
  known: { sink: sinkNames, reason: rejectReasons },
  never: { sink: ['metrics'], reason: ['refused', 'too_large', 'partial_success'] },
  stored: true,
  example: 'sum by (server, sink, reason) (increase(vb365_events_rejected_total[1h])) > 0',
});

export const unknownValues = counter({
  name: 'vb365_unknown_values_total',
  help: 'Total number of API values that this exporter does not know and counts as other, by field.',
  unit: 'values',
  labels: ['server', 'field'],
  known: { field: vocabularyFields },
  stored: true,
  example: 'sum by (server, field) (increase(vb365_unknown_values_total[1d])) > 0',
});

export const apiAnomalies = counter({
  name: 'vb365_api_anomalies_total',
  help: 'Total number of API protocol anomalies that did not lose data, by kind.',
  unit: 'anomalies',
  labels: ['server', 'kind'],
  known: { kind: anomalyKinds },
  onFirstUse: true,
  stored: true,
  example: 'sum by (server, kind) (increase(vb365_api_anomalies_total[1d])) > 0',
});

export const seriesOverflow = counter({
  name: 'vb365_series_overflow_total',
  help: 'Total number of events and session results counted as overflow because the label has reached its limit of values.',
  unit: 'events and results',
  labels: ['server', 'label'],
  known: { label: cappedLabels },
  stored: true,
  example: 'sum by (server, label) (increase(vb365_series_overflow_total[1d])) > 0',
});

export const stateErrors = counter({
  name: 'vb365_state_errors_total',
  help: 'Total number of errors of the state store, by operation.',
  unit: 'errors',
  labels: ['operation'],
  known: {
    operation: ['state', 'rows', 'pending', 'holders', 'series', 'commit', 'close'] satisfies readonly (keyof Store)[],
  },
  example: 'increase(vb365_state_errors_total[15m]) > 0',
});

export const configReload = gauge({
  name: 'vb365_config_last_reload_successful',
  help: 'Whether the last configuration reload succeeded.',
  unit: 'boolean',
  labels: [],
  example: 'vb365_config_last_reload_successful == 0',
});

export const configReloadTime = gauge({
  name: 'vb365_config_last_reload_success_timestamp_seconds',
  help: 'Unix time of the last successful configuration reload.',
  unit: 'seconds since 1970',
  labels: [],
  example: 'time() - vb365_config_last_reload_success_timestamp_seconds',
});

export const webLoginsRefused = counter({
  name: 'vb365_web_logins_refused_total',
  help: 'Total number of requests to the web pages that failed authentication, by reason: wrong user or password, no credentials, or too many concurrent checks.',
  unit: 'requests',
  labels: ['reason'],
  known: { reason: loginRefusals },
  example: 'increase(vb365_web_logins_refused_total{reason="wrong"}[15m]) > 0',
});

export const buildInfo = gauge({
  name: 'vb365_build_info',
  help: 'Version of the exporter as a label. Always 1.',
  unit: 'constant',
  labels: ['version'],
  example: 'count by (version) (vb365_build_info)',
});
