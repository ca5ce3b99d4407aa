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
    title: 'How late events are, 95th percentile',
    description: 'From the end of an event in VB365 until the sink has taken it; of 20 events 19 were no later.',
    unit: 's',
    empty: 'No event in this time range',
    overrides: sinks,
    queries: [
      overTime(quantile(0.95, `vb365_event_lag_seconds_bucket{${ofBoth}}`, 'sink', '$__rate_interval'), '{{sink}}'),
    ],
  }),
  levels({
    ...size,
    title: 'Sessions still to be taken',
    description: 'Restore sessions that a sink still has to read. Those that are open count while they are looked at.',
    unit: 'short',
    decimals: 0,
    empty: 'Not scraped',
    overrides: sinks,
    queries: [overTime(`sum by (sink) (${highest(`vb365_sink_backlog_sessions{${ofBoth}}`)})`, '{{sink}}')],
  }),
  lines({
    ...size,
    title: 'Behind by',
    description: 'Since when the sink has had something left to take. A line that rises is a receiver that is down.',
    unit: 's',
    empty: 'Not scraped',
    overrides: sinks,
    queries: [overTime(`max by (sink) (time() - vb365_cursor_timestamp_seconds{${ofBoth}})`, '{{sink}}')],
  }),
];

const outcomes = (): readonly PanelBuilder[] => [
  bars({
    ...size,
    width: 12,
    title: 'Deliveries',
    description: 'Events and results that left: at the first try, by another try, or never because they were rejected.',
    unit: 'short',
    decimals: 0,
    empty: 'Nothing was delivered in this time range',
    overrides: inColours('delivered', 'retried', 'rejected'),
    queries: [overTime(perBar(`vb365_sink_delivered_total{${ofBoth}}`, 'outcome'), '{{outcome}}')],
  }),
  bars({
    ...size,
    width: 12,
    title: 'Events set aside by reason',
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
