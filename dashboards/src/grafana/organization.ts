import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { colours } from './colours.js';
import { dashboardOf, firingAlerts, type Row } from './dashboard.js';
import { bands, bars, lines } from './graph-panels.js';
import { initiator, itemRecords, type LogQuery, sessionRecords, withReason } from './log-query.js';
import type { LogStore } from './log-store.js';
import type { PanelBuilder } from './panels.js';
import { counted, highest, now, ofTenant, orZero, overTime, perBar } from './queries.js';
import { noRecords, top, whoTookOut } from './record-rankings.js';
import { failures, sessionTable } from './record-tables.js';
import {
  bytes,
  bytesByType,
  failedItems,
  headline,
  items,
  itemsByStatus,
  itemsByType,
  itemsTakenOut,
} from './restore-panels.js';
import { ranking, stat, type StatFacts } from './value-panels.js';
import { tenantVariables } from './variables.js';

const itemsOut = (): PanelBuilder =>
  stat({
    title: 'Items exported',
    description: 'Items that were saved, exported or sent: they left the backup for a place other than their origin.',
    unit: 'locale',
    decimals: 0,
    empty: 'Not scraped',
    queries: [now(orZero(counted(itemsTakenOut)))],
  });

const dataMoved = (): PanelBuilder =>
  stat({
    title: 'Data',
    description: 'Size of successfully restored items in the time range, as far as the server reports it.',
    unit: 'bytes',
    decimals: 1,
    empty: 'Not scraped',
    queries: [now(orZero(counted(bytes)))],
  });

const lastFailure = (): PanelBuilder =>
  stat({
    title: 'Last failure',
    description: 'Time of the last failed item, independent of the time range.',
    unit: 'dateTimeFromNow',
    empty: 'Never',
    queries: [
      now(
        '1000 * max(vb365_restore_last_event_timestamp_seconds{job=~"$job",server=~"$server",organization=~"$organization",status="Failed"})',
      ),
    ],
  });

const failuresByKind = (): PanelBuilder =>
  ranking({
    title: 'Failed items by workload',
    description: 'Failed items in the time range, by workload and operation.',
    width: 10,
    height: 9,
    unit: 'locale',
    decimals: 0,
    empty: 'No item failed in this time range',
    colour: colours['Failed'] ?? 'red',
    queries: [
      now(`sort_desc(topk(10, ${counted(failedItems, 'workload, event_type')} > 0))`, '{{workload}}: {{event_type}}'),
    ],
  });

const againstTheWeekBefore = (): PanelBuilder =>
  lines({
    title: 'Items per day, compared with the previous week',
    description: 'Items in the 24 hours before each point, and the same a week earlier.',
    width: 12,
    height: 8,
    unit: 'short',
    decimals: 0,
    empty: 'No restores yet',
    queries: [
      overTime(`sum(round(increase(${items}[1d])))`, 'Now'),
      overTime(`sum(round(increase(${items}[1d] offset 1w)))`, 'A week earlier'),
    ],
    overrides: [
      { matcher: { id: 'byName', options: 'A week earlier' }, properties: [dashed, { id: 'color', value: grey }] },
      {
        matcher: { id: 'byName', options: 'Now' },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: 'blue' } }],
      },
    ],
  });

const dashed = { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 8] } };
const grey = { mode: 'fixed', fixedColor: '#8e8e8e' };

const openSessions = (): PanelBuilder =>
  bands({
    title: 'Open sessions',
    description: 'Open restore sessions by workload. Darker means more at once. Long bands are Explorers left open.',
    width: 12,
    height: 8,
    unit: 'short',
    decimals: 0,
    empty: 'No session has been open yet',
    steps: [
      [null, 'transparent'],
      [1, 'super-light-blue'],
      [2, 'semi-dark-blue'],
      [5, 'dark-blue'],
    ],
    queries: [
      overTime(
        `sum by (workload) (${highest(`vb365_restore_sessions_open{${ofTenant}}`, 'server, organization, workload')})`,
        '{{workload}}',
      ),
    ],
  });

type NumberFacts = Omit<StatFacts, 'empty' | 'source' | 'queries'> & Readonly<{ query: LogQuery }>;

const logStat = (store: LogStore, { query, ...facts }: NumberFacts): PanelBuilder =>
  stat({ ...facts, width: 6, empty: noRecords(store), source: store.source, queries: [store.query(query)] });

const whoStats = (store: LogStore): readonly PanelBuilder[] => [
  logStat(store, {
    title: 'People',
    description: 'Number of distinct initiators of sessions that ended in the time range.',
    unit: 'locale',
    decimals: 0,
    query: { show: 'distinct', records: sessionRecords, by: initiator },
  }),
  logStat(store, {
    title: 'Items outside office hours',
    description: `Items before 07:00, after 19:00 or on a weekend, in the time zone of the ${store.name} server (usually UTC).`,
    unit: 'locale',
    decimals: 0,
    query: { show: 'count', records: [...itemRecords, 'outside office hours'] },
  }),
  logStat(store, {
    title: 'Median session',
    description: 'Median duration of the sessions in the time range.',
    unit: 's',
    query: { show: 'median', records: sessionRecords, of: sessionLength },
  }),
  logStat(store, {
    title: 'Longest session',
    description: 'Duration of the longest session in the time range.',
    unit: 's',
    query: { show: 'max', records: sessionRecords, of: sessionLength },
  }),
];

const sessionLength = 'veeam.restore.session.duration';

const rankings = (store: LogStore): readonly PanelBuilder[] => [
  top(store, {
    by: initiator,
    title: 'Who',
    description: 'Initiators with the most items, case-insensitive.',
  }),
  top(store, {
    by: { attribute: 'veeam.restore.session.client.host' },
    title: 'Client host',
    description:
      'Client hosts with the most restored items: the VB365 server by the schema of the vendor, the computer of the initiator by other tools.',
  }),
  whoTookOut(store),
  top(store, {
    by: { attribute: 'veeam.restore.owner.name' },
    title: 'Whose data others opened',
    description: 'Users whose mailbox or OneDrive somebody else opened the most items of. Needs VB365 8.',
    records: [...itemRecords, { attribute: 'veeam.restore.owner.relation', is: 'other' }],
  }),
  bars({
    title: 'Items by relation',
    description: 'Items over time, by whether the initiator owns the data: self, other, or unknown.',
    width: 12,
    height: 8,
    unit: 'short',
    decimals: 0,
    empty: 'No restores yet',
    queries: [
      overTime(
        perBar(
          'vb365_restore_owner_events_total{job=~"$job",server=~"$server",organization=~"$organization"}',
          'relation',
        ),
        '{{relation}}',
      ),
    ],
  }),
  top(store, {
    by: { attribute: 'veeam.restore.session.reason' },
    title: 'Why',
    description: 'Reasons given by initiators. The Restore Portal asks for one, Explorers do not.',
    records: [...itemRecords, withReason],
  }),
];

const allSessions = (store: LogStore): PanelBuilder =>
  sessionTable(store, {
    title: 'Sessions',
    description:
      'Who restored, from where and why: failed sessions first, then newest first. Click the time to open the session.',
    height: 10,
    empty: noRecords(store),
    records: sessionRecords,
  });

const story = (store: LogStore): readonly Row[] => [
  {
    panels: [...headline(store), itemsOut(), dataMoved(), lastFailure()],
  },
  { title: `Failures (needs ${store.name})`, panels: [failures(store)] },
  { title: 'Did a restore fail?', panels: [itemsByStatus(14, 9), failuresByKind()] },
  {
    title: 'How much was restored, and how?',
    panels: [itemsByType(12, 8), bytesByType(12, 8), againstTheWeekBefore(), openSessions()],
  },
  {
    title: `Who restored what, from where, and why? (needs ${store.name})`,
    panels: [...whoStats(store), ...rankings(store), allSessions(store)],
  },
];

/** One organization, with the people who restored. */
export const organizationBoard = (store: LogStore): Dashboard =>
  dashboardOf({
    uid: 'organization',
    title: 'VB365 / Organization',
    description: 'Restores of an organization: failures, exported data, and who restored what, from where and why.',
    from: 'now-24h',
    variables: tenantVariables(store),
    annotations: [firingAlerts(false)],
    rows: story(store),
  });
