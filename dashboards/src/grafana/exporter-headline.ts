import { MappingType } from '@grafana/grafana-foundation-sdk/dashboard';
import { thresholds as at } from '../thresholds.js';
import { forField, type Step, steps } from './colours.js';
import { joined } from './columns.js';
import { bands } from './graph-panels.js';
import type { PanelBuilder } from './panels.js';
import { lowest, now, ofProcess, overTime, rows } from './queries.js';
import { nameStat, stat, table } from './value-panels.js';

/** Matches the series of an exporter about a server. */
export const ofBoth = `${ofProcess},server=~"$server"`;

const notScraped = 'Not scraped';
const redAboveZero = [
  [null, 'green'],
  [1, 'red'],
] as const;

const upAndDown = {
  type: MappingType.ValueToText as const,
  options: { '0': { text: 'Down', color: 'red', index: 1 }, '1': { text: 'Up', color: 'green', index: 0 } },
};

const upSteps = [
  [null, 'red'],
  [1, 'green'],
] as const;

/** The expression, or 0 while the exporter is scraped. */
export const orZeroHere = (expr: string): string => `${expr}\nor\n0 * sum(vb365_build_info{${ofProcess}})`;

const state = (): readonly PanelBuilder[] => [
  stat({
    title: 'Exporter',
    description: 'Whether Prometheus can scrape all selected exporters.',
    unit: 'none',
    empty: notScraped,
    steps: upSteps,
    mappings: [upAndDown],
    queries: [now(`min(up{${ofProcess}})`)],
  }),
  nameStat({
    title: 'Version',
    description: 'Version of the exporter. Two versions at once are normal only during an upgrade.',
    unit: 'none',
    empty: notScraped,
    queries: [now(`count by (version) (vb365_build_info{${ofProcess}})`, '{{version}}')],
  }),
  stat({
    title: 'Uptime',
    description: 'Time since the most recent start of an exporter.',
    unit: 's',
    decimals: 0,
    empty: notScraped,
    queries: [now(`min(time() - process_start_time_seconds{${ofProcess}})`)],
  }),
  stat({
    title: 'Servers down',
    description: 'VB365 servers whose last poll failed.',
    unit: 'locale',
    decimals: 0,
    empty: notScraped,
    steps: redAboveZero,
    queries: [now(orZeroHere(`count(max by (server) (vb365_server_up{${ofBoth}}) == 0)`))],
  }),
];

const completeness = (): readonly PanelBuilder[] => [
  stat({
    title: 'Oldest poll',
    description: 'Age of the last complete poll, of the server where it is oldest. Later events are not counted yet.',
    unit: 's',
    decimals: 0,
    empty: 'No complete poll yet',
    steps: [
      [null, 'green'],
      [300, 'yellow'],
      [at.pollStale.ageSeconds, 'red'],
    ],
    queries: [now(`time() - min(max by (server) (vb365_last_successful_poll_timestamp_seconds{${ofBoth}}))`)],
  }),
  stat({
    title: 'Largest lag',
    description: 'Time since the slowest sink last had no backlog. A sink that lags loses nothing.',
    unit: 's',
    decimals: 0,
    empty: 'Never caught up yet',
    steps: [
      [null, 'green'],
      [300, 'yellow'],
      [at.deliveryLag.ageSeconds, 'red'],
    ],
    queries: [now(`time() - min(max by (server, sink) (vb365_cursor_timestamp_seconds{${ofBoth}}))`)],
  }),
  stat({
    title: 'Skipped events',
    description:
      'Events that will never be delivered: malformed ones, and those that the receiver refused. 0 is normal.',
    unit: 'locale',
    decimals: 0,
    empty: notScraped,
    steps: redAboveZero,
    queries: [now(orZeroHere(`sum(round(increase(vb365_events_rejected_total{${ofBoth}}[$__range])))`))],
  }),
  stat({
    title: 'State errors',
    description: 'Failed reads and writes of the state file in the time range. 0 is normal.',
    unit: 'locale',
    decimals: 0,
    empty: notScraped,
    steps: redAboveZero,
    queries: [now(orZeroHere(`sum(round(increase(vb365_state_errors_total{${ofProcess}}[$__range])))`))],
  }),
];

export const headline = (): readonly PanelBuilder[] => [...state(), ...completeness()];

const perServer = (aggregation: string, metric: string): string => `${aggregation} by (server) (${metric}{${ofBoth}})`;

const coloured = (...list: readonly Step[]) => ({
  'custom.cellOptions': { type: 'color-text' },
  thresholds: steps(...list),
});

const serverQueries = () => [
  rows(`max by (server, version, api_version) (vb365_server_info{${ofBoth}})`),
  rows(perServer('max', 'vb365_server_up')),
  rows(`time() - ${perServer('max', 'vb365_last_successful_poll_timestamp_seconds')}`),
  rows(perServer('max', 'vb365_change_feed_active')),
  rows(`${perServer('min', 'vb365_token_expiry_timestamp_seconds')} - time()`),
  rows(`${perServer('min', 'vb365_certificate_expiry_timestamp_seconds')} - time()`),
  rows(perServer('min', 'vb365_tls_verification_enabled')),
  rows(perServer('max', 'vb365_clock_skew_seconds')),
];

const serverColumns = {
  server: 'Server',
  'Value #B': 'State',
  version: 'Version',
  api_version: 'API',
  'Value #C': 'Last poll',
  'Value #D': 'Change feed',
  'Value #E': 'Token left',
  'Value #F': 'Certificate left',
  'Value #G': 'TLS verified',
  'Value #H': 'Clock ahead',
};

const serverLooks = () => [
  forField('State', { mappings: [upAndDown], ...coloured([null, 'red'], [1, 'green']) }),
  forField('Last poll', {
    unit: 's',
    decimals: 0,
    ...coloured([null, 'green'], [300, 'yellow'], [at.pollStale.ageSeconds, 'red']),
  }),
  forField('Change feed', { unit: 'bool_yes_no' }),
  forField('Token left', { unit: 's', decimals: 0 }),
  forField('Certificate left', {
    unit: 's',
    decimals: 0,
    noValue: 'no TLS',
    ...coloured(
      [null, 'red'],
      [at.certificateExpiresVerySoon.leftSeconds, 'yellow'],
      [at.certificateExpiresSoon.leftSeconds, 'green'],
    ),
  }),
  forField('TLS verified', { unit: 'bool_yes_no', ...coloured([null, 'red'], [1, 'green']) }),
  forField('Clock ahead', { unit: 's', decimals: 1 }),
];

export const serverTable = (): PanelBuilder =>
  table({
    title: 'Server details',
    description:
      'Each VB365 server: version, age of the last complete poll, and remaining lifetime of token and certificate.',
    width: 16,
    height: 8,
    unit: 'none',
    empty: notScraped,
    queries: serverQueries(),
    transformations: joined(serverColumns),
    overrides: serverLooks(),
  });

export const upOverTime = (): PanelBuilder =>
  bands({
    title: 'Server availability',
    description: 'Whether the exporter could read from each server. An interval is red if any poll in it failed.',
    width: 8,
    height: 8,
    unit: 'none',
    empty: notScraped,
    steps: upSteps,
    mappings: [upAndDown],
    queries: [overTime(`min by (server) (${lowest(`vb365_server_up{${ofBoth}}`)})`, '{{server}}')],
  });
