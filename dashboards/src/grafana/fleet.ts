import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { thresholds as at } from '../thresholds.js';
import { colours, forField, inColours, steps } from './colours.js';
import { joined } from './columns.js';
import { dashboardOf, firingAlerts, type Row } from './dashboard.js';
import { dots, heatmap } from './graph-panels.js';
import { cell, linkTo } from './links.js';
import type { LogStore } from './log-store.js';
import type { PanelBuilder } from './panels.js';
import { buckets, counted, now, ofServer, orZero, perBar, quantile, rows, withExemplars } from './queries.js';
import {
  bytes,
  bytesByType,
  failedItems,
  headline,
  failedSessions,
  items,
  itemsByStatus,
  itemsByType,
  itemsTakenOut,
  sessions,
} from './restore-panels.js';
import { whoTookOut, whyTakenOut } from './record-rankings.js';
import { failures, takenOutTable } from './record-tables.js';
import { ranking, stat, table } from './value-panels.js';
import { tenantVariables } from './variables.js';

const oldestOpen = (): PanelBuilder =>
  stat({
    title: 'Oldest open',
    description: 'Age of the oldest open restore session. An Explorer left open keeps the backup mounted.',
    unit: 's',
    decimals: 0,
    empty: 'None open',
    steps: [
      [null, 'green'],
      [4 * 3600, 'yellow'],
      [at.restoreSessionStuck.ageSeconds, 'red'],
    ],
    queries: [now(`max(time() - vb365_restore_oldest_open_session_start_timestamp_seconds{${ofServer}})`)],
  });

const alertsFiring = (): PanelBuilder =>
  stat({
    title: 'Firing alerts',
    description: 'Firing alerts of vb365-exporter from all servers, including severity info.',
    unit: 'locale',
    decimals: 0,
    empty: 'Not scraped',
    steps: [
      [null, 'green'],
      [1, 'orange'],
    ],
    queries: [now(orZero('count(ALERTS{alertname=~"VB365.*",alertstate="firing"})'))],
  });

const serversDown = (store: LogStore): PanelBuilder =>
  stat({
    title: 'Servers down',
    description: 'VB365 servers whose last poll failed. Their later events are not counted yet.',
    unit: 'locale',
    decimals: 0,
    empty: 'Not scraped',
    steps: [
      [null, 'green'],
      [1, 'red'],
    ],
    queries: [now(orZero(`count(max by (server) (vb365_server_up{${ofServer}}) == 0)`))],
    links: [{ title: 'Exporter health', url: linkTo(store, 'exporter') }],
  });

const failuresByOrganization = (store: LogStore): PanelBuilder =>
  ranking({
    title: 'Failed items by organization',
    description: 'The ten organizations with the most failed items in the time range. Click to open the organization.',
    width: 10,
    height: 9,
    unit: 'locale',
    decimals: 0,
    empty: 'No item failed in this time range',
    colour: colours['Failed'] ?? 'red',
    queries: [now(`sort_desc(topk(10, ${counted(failedItems, 'server, organization')} > 0))`, '{{organization}}')],
    links: [
      {
        title: 'This organization',
        url: linkTo(store, 'organization', {
          server: '${__field.labels.server}',
          organization: '${__field.labels.organization}',
        }),
      },
    ],
  });

const perOrganization = 'server, organization';
const redAboveZero = {
  'custom.cellOptions': { type: 'color-text' },
  thresholds: steps([null, 'text'], [1, 'red']),
};

const organizations = (store: LogStore): PanelBuilder =>
  table({
    title: 'Organizations',
    description:
      'Restores per organization in the time range. Exported counts items that were saved, exported or sent. Click a name to open the organization.',
    width: 24,
    height: 10,
    unit: 'locale',
    decimals: 0,
    empty: 'No restores yet',
    queries: [
      rows(counted(sessions, perOrganization)),
      rows(counted(failedSessions, perOrganization)),
      rows(counted(items, perOrganization)),
      rows(counted(failedItems, perOrganization)),
      rows(counted(itemsTakenOut, perOrganization)),
      rows(counted(bytes, perOrganization)),
      rows(
        `1000 * max by (${perOrganization}) (vb365_restore_last_event_timestamp_seconds{${ofServer},organization=~"$organization",status="Failed"})`,
      ),
    ],
    transformations: joined({
      organization: 'Organization',
      server: 'Server',
      'Value #A': 'Sessions',
      'Value #B': 'Sessions failed',
      'Value #C': 'Items',
      'Value #D': 'Items failed',
      'Value #E': 'Exported',
      'Value #F': 'Data',
      'Value #G': 'Last failure',
    }),
    sortBy: 'Items failed',
    overrides: [
      forField('Organization', {
        'custom.minWidth': 260,
        links: [
          {
            title: 'This organization',
            url: linkTo(store, 'organization', { server: cell('Server'), organization: cell('Organization') }),
          },
        ],
      }),
      forField('Sessions failed', redAboveZero),
      forField('Items failed', redAboveZero),
      forField('Data', { unit: 'bytes', decimals: 1 }),
      forField('Last failure', { unit: 'dateTimeFromNow', noValue: 'never' }),
    ],
  });

const sessionDurations = (): PanelBuilder =>
  heatmap({
    title: 'Session duration',
    description: 'Stopped sessions by time from creation to end. Darker means more sessions.',
    width: 8,
    height: 9,
    unit: 's',
    empty: 'No session ended in this time range',
    queries: [
      buckets(perBar(`vb365_restore_session_duration_seconds_bucket{${ofServer},workload=~"$workload"}`, 'le')),
    ],
  });

const itemBuckets = `vb365_restore_item_duration_seconds_bucket{${ofServer},workload=~"$workload"}`;
/** The counter instead of the histogram: only the counter's first increment is held. */
const timedItems = `vb365_restore_events_total{${ofServer},workload=~"$workload",event_type!="None",status=~"Success|Warning|Failed"}`;

const itemDurations = (): PanelBuilder =>
  dots({
    title: 'Item duration, 95th percentile',
    description: 'Time per item by workload, at times with restores. Exemplars link to the trace.',
    width: 8,
    height: 9,
    unit: 's',
    empty: 'No item was restored in this time range',
    overrides: inColours('exchange', 'onedrive', 'sharepoint', 'teams', 'other'),
    queries: [withExemplars(quantile(0.95, itemBuckets, 'workload', '$__rate_interval'), '{{workload}}')],
  });

const durationTable = (): PanelBuilder =>
  table({
    title: 'Item duration by operation',
    description: 'Items in the time range, with median and 95th percentile of their duration.',
    width: 8,
    height: 9,
    unit: 's',
    empty: 'No item was restored in this time range',
    queries: [
      rows(`${counted(timedItems, 'workload, event_type')} > 0`),
      rows(quantile(0.5, itemBuckets, 'workload, event_type')),
      rows(quantile(0.95, itemBuckets, 'workload, event_type')),
    ],
    transformations: joined({
      workload: 'Workload',
      event_type: 'Operation',
      'Value #A': 'Items',
      'Value #B': 'Median',
      'Value #C': '95 %',
    }),
    sortBy: 'Items',
    overrides: [forField('Items', { unit: 'locale', decimals: 0 })],
  });

const story = (store: LogStore): readonly Row[] => [
  {
    panels: [...headline(store), oldestOpen(), alertsFiring(), serversDown(store)],
  },
  { title: `Failures (needs ${store.name})`, panels: [failures(store)] },
  {
    title: `Who restored whose data, where to, and why? (needs ${store.name})`,
    panels: [whoTookOut(store), whyTakenOut(store), takenOutTable(store)],
  },
  { title: 'Did a restore fail?', panels: [itemsByStatus(14, 9), failuresByOrganization(store), organizations(store)] },
  { title: 'How long do restores take?', panels: [sessionDurations(), itemDurations(), durationTable()] },
  { title: 'How much was restored, and how?', panels: [itemsByType(12, 9), bytesByType(12, 9)] },
];

/** All organizations. */
export const fleet = (store: LogStore): Dashboard =>
  dashboardOf({
    uid: 'fleet',
    title: 'VB365 / Fleet overview',
    description: 'Restores from Veeam Backup for Microsoft 365: failures, durations and volume.',
    from: 'now-24h',
    variables: tenantVariables(store),
    annotations: [firingAlerts(false)],
    rows: story(store),
  });
