import { forField, inColours } from './colours.js';
import { ofBoth } from './exporter-headline.js';
import { bars, lines } from './graph-panels.js';
import type { Facts, PanelBuilder } from './panels.js';
import { overTime, perBar, quantile } from './queries.js';

type Short = Omit<Facts, 'width' | 'height' | 'empty'> & Partial<Pick<Facts, 'empty'>>;
const third = (facts: Short): Facts => ({ width: 8, height: 8, empty: 'Not scraped', ...facts });
const fourth = (facts: Short): Facts => ({ ...third(facts), width: 6 });
const low = (facts: Short): Facts => ({ ...third(facts), width: 6, height: 6 });

const turns = (): readonly PanelBuilder[] => [
  bars(
    third({
      title: 'Turns of discovery',
      description: 'Looks at the servers, by how they ended. A failed one is made up for by the next.',
      unit: 'short',
      decimals: 0,
      overrides: inColours('complete', 'partial', 'failed'),
      queries: [overTime(perBar(`vb365_polls_total{${ofBoth}}`, 'result'), '{{result}}')],
    }),
  ),
  bars(
    third({
      title: 'Errors by reason',
      description: 'Errors while reading from a server or delivering, by reason. Docs say what each reason means.',
      unit: 'short',
      decimals: 0,
      queries: [overTime(`${perBar(`vb365_poll_errors_total{${ofBoth}}`, 'reason')} > 0`, '{{reason}}')],
      empty: 'No error in this time range',
    }),
  ),
  lines(
    third({
      title: 'Time of a turn',
      description: 'How long a look at a server takes: half of them, and 95 of 100, took no longer.',
      unit: 's',
      queries: [
        overTime(quantile(0.5, `vb365_poll_duration_seconds_bucket{${ofBoth}}`, '', '$__rate_interval'), 'median'),
        overTime(quantile(0.95, `vb365_poll_duration_seconds_bucket{${ofBoth}}`, '', '$__rate_interval'), '95 %'),
      ],
    }),
  ),
];

/** The class of an answer of HTTP, or `error` when there was none. */
const byClass = () =>
  ['2xx', '3xx', '4xx', '5xx', 'error'].map((code, index) =>
    forField(code, { color: { mode: 'fixed', fixedColor: ['green', 'blue', 'yellow', 'red', 'dark-red'][index] } }),
  );

const logins = (): PanelBuilder =>
  bars(
    fourth({
      title: 'Logins by answer',
      description:
        'Requests for a token, by the class of the answer. 4xx that goes on is a wrong password or an account that is locked.',
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
      title: 'Requests to the servers',
      description:
        'By the class of the answer. 4xx beside 2xx is a login that expired now and then; nothing but 4xx is not.',
      unit: 'reqps',
      overrides: byClass(),
      queries: [
        overTime(`sum by (code) (rate(vb365_api_requests_total{${ofBoth}}[$__rate_interval])) > 0`, '{{code}}'),
      ],
    }),
  ),
  lines(
    fourth({
      title: 'Requests by what they ask for',
      description: 'What the exporter costs the servers. While nothing is open, the feed or one list per interval.',
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
      title: 'Time of a request, 95th percentile',
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

export const readingPanels = (): readonly PanelBuilder[] => [...turns(), ...requests()];

const oddity = (title: string, description: string, metric: string, by: string): PanelBuilder =>
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
  oddity(
    'Unknown words',
    'Values of the API that this exporter does not know; they are counted as "other". A new version of VB365 may be there.',
    'vb365_unknown_values_total',
    'field',
  ),
  oddity(
    'Odd answers',
    'Oddities in the answers of the servers that cost nothing but trust.',
    'vb365_api_anomalies_total',
    'kind',
  ),
  oddity(
    'Missed by the feed',
    'Sessions that only the regular full look has found.',
    'vb365_reconcile_missed_sessions_total',
    'server',
  ),
  bars(
    low({
      title: 'Given up or corrected',
      description:
        'Events that never became final, events whose status changed after they were counted, and organizations beyond the limit.',
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
