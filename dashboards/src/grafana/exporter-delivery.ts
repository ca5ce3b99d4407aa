import { inColours } from './colours.js';
import { ofBoth } from './exporter-headline.js';
import { bars, dots, levels, lines } from './graph-panels.js';
import type { PanelBuilder } from './panels.js';
import { highest, overTime, perBar, quantile } from './queries.js';

const size = { width: 8, height: 8 };
const sinks = inColours('metrics', 'logs', 'traces');

const lateness = (): readonly PanelBuilder[] => [
  dots({
    ...size,
    title: 'Delivery latency, 95th percentile',
    description: 'Time from the end of an event in VB365 to its delivery to the sink.',
    unit: 's',
    empty: 'No event in this time range',
    overrides: sinks,
    queries: [
      overTime(quantile(0.95, `vb365_event_lag_seconds_bucket{${ofBoth}}`, 'sink', '$__rate_interval'), '{{sink}}'),
    ],
  }),
  levels({
    ...size,
    title: 'Backlog',
    description:
      'Restore sessions that a sink still has to read, without history. An open session counts while it is being read.',
    unit: 'short',
    decimals: 0,
    empty: 'Not scraped',
    overrides: sinks,
    queries: [
      overTime(`sum by (sink) (${highest(`vb365_sink_backlog_sessions{${ofBoth}}`, 'server, sink')})`, '{{sink}}'),
    ],
  }),
  lines({
    ...size,
    title: 'Lag',
    description: 'Time since the sink last had no backlog. A rising line means that the receiver is down.',
    unit: 's',
    empty: 'Not scraped',
    overrides: sinks,
    queries: [
      overTime(
        `time() - min by (sink) (max by (server, sink) (vb365_cursor_timestamp_seconds{${ofBoth}}))`,
        '{{sink}}',
      ),
    ],
  }),
];

const outcomes = (): readonly PanelBuilder[] => [
  bars({
    ...size,
    title: 'Delivery errors by reason',
    description:
      'Failed deliveries and probes, by sink and reason. The log of the exporter shows what the receiver said.',
    unit: 'short',
    decimals: 0,
    empty: 'No error in this time range',
    queries: [
      overTime(`${perBar(`vb365_delivery_errors_total{${ofBoth}}`, 'sink, reason')} > 0`, '{{sink}}: {{reason}}'),
    ],
  }),
  bars({
    ...size,
    title: 'Deliveries',
    description:
      'Events and session results sent by a sink: delivered at the first attempt, delivered after a retry, or rejected by the receiver.',
    unit: 'short',
    decimals: 0,
    empty: 'Nothing was delivered in this time range',
    overrides: inColours('delivered', 'retried', 'rejected'),
    queries: [overTime(perBar(`vb365_sink_delivered_total{${ofBoth}}`, 'outcome'), '{{outcome}}')],
  }),
  bars({
    ...size,
    title: 'Skipped events by reason',
    description:
      'Events that will never be delivered, by sink and reason. The log of the exporter names their sessions.',
    unit: 'short',
    decimals: 0,
    empty: 'None in this time range',
    queries: [
      overTime(`${perBar(`vb365_events_rejected_total{${ofBoth}}`, 'sink, reason')} > 0`, '{{sink}}: {{reason}}'),
    ],
  }),
];

export const deliveryPanels = (): readonly PanelBuilder[] => [...lateness(), ...outcomes()];
