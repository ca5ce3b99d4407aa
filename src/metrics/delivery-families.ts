import { anomalyKinds, rejectReasons } from '../model/event.js';
import { sinkNames } from '../pipeline/ports.js';
import { family } from './family.js';
import { cappedLabels, deliveryOutcomes, vocabularyFields } from '../model/labels.js';
import { stateOperations } from './labels.js';

export const eventLag = family({
  type: 'histogram',
  name: 'vb365_event_lag_seconds',
  help: 'Time from the end of an event to its being taken by the sink, by the clock of the server; the sum counts a day at most.',
  unit: 'seconds',
  labels: ['server', 'sink'],
  known: { sink: sinkNames },
  buckets: [1, 2.5, 5, 10, 30, 60, 120, 300, 900, 3600, 14_400, 86_400],
  stored: true,
  example: 'histogram_quantile(0.99, sum by (le, sink) (rate(vb365_event_lag_seconds_bucket[1h])))',
});

export const cursorTime = family({
  type: 'gauge',
  name: 'vb365_cursor_timestamp_seconds',
  help: 'When the sink last had nothing left to take, by the clock of the exporter.',
  unit: 'seconds since 1970',
  labels: ['server', 'sink'],
  known: { sink: sinkNames },
  stored: false,
  example: 'time() - vb365_cursor_timestamp_seconds > 900',
});

export const sinkBacklog = family({
  type: 'gauge',
  name: 'vb365_sink_backlog_sessions',
  help: 'Restore sessions that the sink still has to read.',
  unit: 'sessions',
  labels: ['server', 'sink'],
  known: { sink: sinkNames },
  stored: false,
  example: 'vb365_sink_backlog_sessions > 10',
});

export const sinkDelivered = family({
  type: 'counter',
  name: 'vb365_sink_delivered_total',
  help: 'Events and session results that left through the sink: delivered at the first try, retried by the delivery after a failed one, or rejected by the other side.',
  unit: 'events and results',
  labels: ['server', 'sink', 'outcome'],
  known: { sink: sinkNames, outcome: deliveryOutcomes },
  stored: true,
  example: 'sum by (sink) (rate(vb365_sink_delivered_total{outcome="rejected"}[15m])) > 0',
});

export const eventsRejected = family({
  type: 'counter',
  name: 'vb365_events_rejected_total',
  help: 'Events that the sink will never deliver, by why they were set aside.',
  unit: 'events',
  labels: ['server', 'sink', 'reason'],
  known: { sink: sinkNames, reason: rejectReasons },
  stored: true,
  example: 'sum by (server, sink, reason) (increase(vb365_events_rejected_total[1h])) > 0',
});

export const unknownValues = family({
  type: 'counter',
  name: 'vb365_unknown_values_total',
  help: 'Values counted under the label value other, because this exporter does not know what the server wrote.',
  unit: 'values',
  labels: ['server', 'field'],
  known: { field: vocabularyFields },
  stored: true,
  example: 'sum by (server, field) (increase(vb365_unknown_values_total[1d])) > 0',
});

export const apiAnomalies = family({
  type: 'counter',
  name: 'vb365_api_anomalies_total',
  help: 'Odd things met in the answers of the server, which cost nothing but trust.',
  unit: 'oddities',
  labels: ['server', 'kind'],
  known: { kind: anomalyKinds },
  stored: true,
  example: 'sum by (server, kind) (increase(vb365_api_anomalies_total[1d])) > 0',
});

export const seriesOverflow = family({
  type: 'counter',
  name: 'vb365_series_overflow_total',
  help: 'Restore events and stopped sessions counted under the label value overflow, because the label has as many values as it may have.',
  unit: 'events and results',
  labels: ['server', 'label'],
  known: { label: cappedLabels },
  stored: true,
  example: 'sum by (server, label) (increase(vb365_series_overflow_total[1d])) > 0',
});

export const stateErrors = family({
  type: 'counter',
  name: 'vb365_state_errors_total',
  help: 'Failures to read or write the state of the exporter, by what was asked of it.',
  unit: 'errors',
  labels: ['operation'],
  known: { operation: stateOperations },
  stored: false,
  example: 'increase(vb365_state_errors_total[15m]) > 0',
});

export const configReload = family({
  type: 'gauge',
  name: 'vb365_config_last_reload_successful',
  help: 'Whether the configuration was fine when it was last read (1) or not (0).',
  unit: 'boolean',
  labels: [],
  stored: false,
  example: 'vb365_config_last_reload_successful == 0',
});

export const configReloadTime = family({
  type: 'gauge',
  name: 'vb365_config_last_reload_success_timestamp_seconds',
  help: 'When the configuration that is in use was read, by the clock of the exporter.',
  unit: 'seconds since 1970',
  labels: [],
  stored: false,
  example: 'time() - vb365_config_last_reload_success_timestamp_seconds',
});

export const buildInfo = family({
  type: 'gauge',
  name: 'vb365_build_info',
  help: 'The version of this exporter; always 1.',
  unit: 'constant',
  labels: ['version'],
  stored: false,
  example: 'count by (version) (vb365_build_info)',
});
