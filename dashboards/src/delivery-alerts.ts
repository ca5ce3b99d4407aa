import { lostAfter } from './outage.js';
import { type Alert, lastKnown, processStart, risen } from './rule.js';
import { thresholds as at } from './thresholds.js';

const of = { component: 'delivery', dashboard: 'exporter', about: ['server'] } as const;
const per = 'by (server, sink)';
const count = '{{ $value | printf "%.0f" }}';

const backlog = 'vb365_sink_backlog_sessions';

/** Time since each sink was up to date. After a restart or a move, that is known from the process before, for an hour. */
const lag = `time() - max ${per} (
    ${lastKnown('vb365_cursor_timestamp_seconds')}
  or on (server, sink)
    last_over_time(vb365_cursor_timestamp_seconds[1h]) and on (server, sink) ${lastKnown(backlog)}
  or on (server, sink)
    ${processStart(backlog)}
)`;

export const deliveryAlerts: readonly Alert[] = [
  {
    ...of,
    name: 'VB365DeliveryLag',
    severity: 'warning',
    expr: `${lag} > ${String(at.deliveryLag.ageSeconds)}
unless on (server, sink)
${lag} <= on (server) group_left () ${String(at.deliveryLag.intervals)} * max by (server) (${lastKnown('vb365_poll_interval_seconds')})`,
    for: at.deliveryLag.for,
    summary: 'A sink of {{ $labels.server }} lags behind.',
    description:
      'The sink {{ $labels.sink }} of {{ $labels.server }} was last up to date {{ $value | humanizeDuration }} ago. Nothing is lost. Check whether vb365_sink_backlog_sessions grows.',
  },
  {
    ...of,
    name: 'VB365DeliveryFailing',
    severity: 'critical',
    milder: { label: 'sink', value: 'traces', severity: 'warning' },
    expr: `min ${per} (min_over_time(vb365_sink_backlog_sessions[${at.deliveryFailing.window}])) > 0
unless on (server, sink)
sum ${per} (increase(vb365_sink_delivered_total{outcome!="rejected"}[${at.deliveryFailing.window}])) > 0`,
    for: at.deliveryFailing.for,
    summary: 'A sink of {{ $labels.server }} delivers nothing.',
    description: `${count} session(s) of {{ $labels.server }} wait for the sink {{ $labels.sink }}, which delivered nothing in ${at.deliveryFailing.window}. Check vb365_delivery_errors_total, vb365_poll_errors_total and the log of the exporter: the receiver at otlp.endpoint refuses them, or they cannot be read. ${lostAfter}`,
  },
  {
    ...of,
    name: 'VB365DeliveryRejected',
    severity: 'warning',
    expr: risen('vb365_sink_delivered_total{outcome="rejected"}', 'server, sink', at.deliveryRejected.window),
    summary: 'The receiver rejects log records or spans of {{ $labels.server }}.',
    description: `The receiver of {{ $labels.sink }} permanently rejected ${count} record(s) of {{ $labels.server }}. Its response is in the log of the exporter. Often the records are too old for its limits.`,
  },
  {
    ...of,
    name: 'VB365EventsRejected',
    severity: 'warning',
    expr: risen('vb365_events_rejected_total', 'server, sink, reason', at.eventsRejected.window),
    summary: 'Restore events of {{ $labels.server }} were skipped and will not be delivered.',
    description: `The sink {{ $labels.sink }} skipped ${count} event(s) of {{ $labels.server }} ({{ $labels.reason }}). The log of the exporter names the session and the order or id of up to 10 events per delivery. Look them up in VB365.`,
  },
];
