import { forField, inColours } from './colours.js';
import { ofBoth } from './exporter-headline.js';
import { bars, lines } from './graph-panels.js';
import type { Facts, PanelBuilder } from './panels.js';
import { overTime, perBar, quantile } from './queries.js';

type Short = Omit<Facts, 'width' | 'height' | 'empty'> & Partial<Pick<Facts, 'empty'>>;
const third = (facts: Short): Facts => ({ width: 8, height: 8, empty: 'Not scraped', ...facts });
const fourth = (facts: Short): Facts => ({ ...third(facts), width: 6 });
const low = (facts: Short): Facts => ({ ...third(facts), width: 6, height: 6 });

const pollPanels = (): readonly PanelBuilder[] => [
  bars(
    third({
      title: 'Polls',
      description: 'Discovery polls by result. The next poll makes up for a failed one.',
      unit: 'short',
      decimals: 0,
      overrides: inColours('complete', 'partial', 'failed'),
      queries: [overTime(perBar(`vb365_polls_total{${ofBoth}}`, 'result'), '{{result}}')],
    }),
  ),
  bars(
    third({
      title: 'Read errors by reason',
      description:
        'Errors while reading from servers, by reason. Delivery errors have their own panel. docs/METRICS.md explains the reasons.',
      unit: 'short',
      decimals: 0,
      queries: [overTime(`${perBar(`vb365_poll_errors_total{${ofBoth}}`, 'reason')} > 0`, '{{reason}}')],
      empty: 'No error in this time range',
    }),
  ),
  lines(
    third({
      title: 'Poll duration',
      description: 'Duration of a poll: median and 95th percentile.',
      unit: 's',
      queries: [
        overTime(quantile(0.5, `vb365_poll_duration_seconds_bucket{${ofBoth}}`, '', '$__rate_interval'), 'median'),
        overTime(quantile(0.95, `vb365_poll_duration_seconds_bucket{${ofBoth}}`, '', '$__rate_interval'), '95 %'),
      ],
    }),
  ),
];

/** Colours by class of the HTTP status, or `error` for no response. */
const byClass = () =>
  ['2xx', '3xx', '4xx', '5xx', 'error'].map((code, index) =>
    forField(code, { color: { mode: 'fixed', fixedColor: ['green', 'blue', 'yellow', 'red', 'dark-red'][index] } }),
  );

const logins = (): PanelBuilder =>
  bars(
    fourth({
      title: 'Logins by response',
      description: 'Token requests by status class. A continuous 4xx means a wrong password or a locked account.',
      unit: 'short',
      decimals: 0,
      empty: 'No login in this time range',
      overrides: byClass(),
      queries: [overTime(`${perBar(`vb365_api_requests_total{${ofBoth},operation="token"}`, 'code')} > 0`, '{{code}}')],
    }),
  );

const requests = (): readonly PanelBuilder[] => [
  lines(
    fourth({
      title: 'API requests by status',
      description: 'API requests by status class. Occasional 4xx are expired tokens; 4xx without 2xx is an error.',
      unit: 'reqps',
      overrides: byClass(),
      queries: [
        overTime(`sum by (code) (rate(vb365_api_requests_total{${ofBoth}}[$__rate_interval])) > 0`, '{{code}}'),
      ],
    }),
  ),
  lines(
    fourth({
      title: 'API requests by operation',
      description: 'Load on the servers. While no session is open: the change feed, or one list per interval.',
      unit: 'reqps',
      queries: [
        overTime(
          `sum by (operation) (rate(vb365_api_requests_total{${ofBoth}}[$__rate_interval])) > 0`,
          '{{operation}}',
        ),
      ],
    }),
  ),
  lines(
    fourth({
      title: 'API request duration, 95th percentile',
      description: 'By operation: list sessions, read a session, read a page of its events.',
      unit: 's',
      queries: [
        overTime(
          quantile(0.95, `vb365_api_request_duration_seconds_bucket{${ofBoth}}`, 'operation', '$__rate_interval'),
          '{{operation}}',
        ),
      ],
    }),
  ),
  logins(),
];

export const readingPanels = (): readonly PanelBuilder[] => [...pollPanels(), ...requests()];

const anomaly = (title: string, description: string, metric: string, by: string): PanelBuilder =>
  bars(
    low({
      title,
      description,
      unit: 'short',
      decimals: 0,
      empty: 'None in this time range',
      queries: [overTime(`${perBar(`${metric}{${ofBoth}}`, by)} > 0`, `{{${by}}}`)],
    }),
  );

export const trustPanels = (): readonly PanelBuilder[] => [
  anomaly(
    'Unknown values',
    'API values that this exporter does not know, counted as "other". VB365 may have been upgraded.',
    'vb365_unknown_values_total',
    'field',
  ),
  anomaly(
    'API anomalies',
    'Protocol anomalies in API responses that did not lose data, by kind.',
    'vb365_api_anomalies_total',
    'kind',
  ),
  anomaly(
    'Missed by the change feed',
    'Sessions that only the full list scan found.',
    'vb365_reconcile_missed_sessions_total',
    'server',
  ),
  bars(
    low({
      title: 'Abandoned, corrected, overflow',
      description:
        'Events that never became final, events whose status changed after they were counted, and events of organizations beyond the limit.',
      unit: 'short',
      decimals: 0,
      empty: 'None in this time range',
      queries: [
        overTime(`${perBar(`vb365_restore_events_abandoned_total{${ofBoth}}`)} > 0`, 'abandoned'),
        overTime(`${perBar(`vb365_event_corrections_total{${ofBoth}}`)} > 0`, 'corrected'),
        overTime(`${perBar(`vb365_series_overflow_total{${ofBoth}}`)} > 0`, 'overflow'),
      ],
    }),
  ),
];
