import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { colours } from './colours.js';
import { dashboardOf, firingAlerts, type Row } from './dashboard.js';
import { bands, lines } from './graph-panels.js';
import { countOf, initiatorOf, itemRecords, sessionRecords } from './log-queries.js';
import type { PanelBuilder } from './panels.js';
import { counted, highest, logsNow, now, ofTenant, orZero, overTime } from './queries.js';
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
    title: 'Items taken out',
    description: 'Items that were saved, exported or sent: they left the backup for somewhere else than their origin.',
    unit: 'locale',
    decimals: 0,
    empty: 'Not scraped',
    queries: [now(orZero(counted(itemsTakenOut)))],
  });

const dataMoved = (): PanelBuilder =>
  stat({
    title: 'Data',
    description: 'Size of the items of the time range that came through, as far as the server tells it.',
    unit: 'bytes',
    decimals: 1,
    empty: 'Not scraped',
    queries: [now(orZero(counted(bytes)))],
  });

const lastFailure = (): PanelBuilder =>
  stat({
    title: 'Last failure',
    description: 'When an item failed last, whatever the time range.',
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
    description: 'Where items failed in the time range, and what was to be done with them.',
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
    title: 'Items per day, against the week before',
    description:
      'Items of the 24 hours before each point, and the same a week earlier: what is usual, and what is not.',
    width: 12,
    height: 8,
    unit: 'short',
    decimals: 0,
    empty: 'Nothing was restored yet',
    queries: [
      overTime(`sum(round(increase(${items}[1d])))`, 'These days'),
      overTime(`sum(round(increase(${items}[1d] offset 1w)))`, 'A week before'),
    ],
    overrides: [
      { matcher: { id: 'byName', options: 'A week before' }, properties: [dashed, { id: 'color', value: grey }] },
      {
        matcher: { id: 'byName', options: 'These days' },
        properties: [{ id: 'color', value: { mode: 'fixed', fixedColor: 'blue' } }],
      },
    ],
  });

const dashed = { id: 'custom.lineStyle', value: { fill: 'dash', dash: [8, 8] } };
const grey = { mode: 'fixed', fixedColor: '#8e8e8e' };

const openSessions = (): PanelBuilder =>
  bands({
    title: 'Open sessions',
    description:
      'When restore sessions were open, by workload: the darker, the more at once. Long bands are Explorers left open.',
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
    queries: [overTime(`sum by (workload) (${highest(`vb365_restore_sessions_open{${ofTenant}}`)})`, '{{workload}}')],
  });

const logStat = (facts: Omit<StatFacts, 'empty' | 'source'>): PanelBuilder =>
  stat({ ...facts, width: 6, empty: noRecords, source: 'loki' });

const whoStats = (): readonly PanelBuilder[] => [
  logStat({
    title: 'People',
    description: 'How many different initiators opened sessions that ended in the time range.',
    unit: 'locale',
    decimals: 0,
    queries: [logsNow(`count(${countOf(`${sessionRecords} | ${initiatorOf}`, 'initiator')})`)],
  }),
  logStat({
    title: 'Items outside office hours',
    description: 'Items before 07:00, after 19:00 or on a weekend, by the clock of the Loki server (mostly UTC).',
    unit: 'locale',
    decimals: 0,
    queries: [logsNow(`${countOf(outsideOfficeHours)} or vector(0)`)],
  }),
  logStat({
    title: 'Median session',
    description: 'Half of the sessions of the time range were open no longer.',
    unit: 's',
    queries: [logsNow(`quantile_over_time(0.5, ${sessionLength} [$__auto]) by ()`)],
  }),
  logStat({
    title: 'Longest session',
    description: 'The longest that a session of the time range was open.',
    unit: 's',
    queries: [logsNow(`max(max_over_time(${sessionLength} [$__auto]))`)],
  }),
];

const sessionLength = `${sessionRecords} | unwrap veeam_restore_session_duration`;
const outsideOfficeHours = `${itemRecords} | label_format hour=\`{{ __timestamp__ | date "15" }}\`, day=\`{{ __timestamp__ | date "Mon" }}\` | hour!~"0[7-9]|1[0-8]" or day=~"Sat|Sun"`;

const rankings = (): readonly PanelBuilder[] => [
  top('initiator', {
    title: 'Who',
    description: 'Who restored the most items; letter case does not count.',
    query: `${itemRecords} | ${initiatorOf}`,
  }),
  top('veeam_restore_session_client_address', {
    title: 'From which client',
    description: 'The machines from which the most items were restored.',
  }),
  whoTookOut(),
  top('veeam_restore_session_reason', {
    title: 'Why',
    description: 'The reasons that initiators wrote; the Restore Portal asks for one, Explorers do not.',
    query: `${itemRecords} | veeam_restore_session_reason!=""`,
  }),
];

const allSessions = (): PanelBuilder =>
  sessionTable({
    title: 'Sessions',
    description: 'Who restored, from where and why, newest first. A click on the time leads to the session.',
    height: 10,
    empty: noRecords,
    query: sessionRecords,
  });

const story: readonly Row[] = [
  {
    panels: [...headline(), itemsOut(), dataMoved(), lastFailure()],
  },
  { title: 'Did a restore fail?', panels: [itemsByStatus(14, 9), failuresByKind()] },
  {
    title: 'How much was taken, and how?',
    panels: [itemsByType(12, 8), bytesByType(12, 8), againstTheWeekBefore(), openSessions()],
  },
  { title: 'Who took what, from where, and why? (needs Loki)', panels: [...whoStats(), ...rankings(), allSessions()] },
  { title: 'What went wrong (needs Loki)', panels: [failures()] },
];

/** One organization: everything that the fleet has, and the people. */
export const organizationBoard = (): Dashboard =>
  dashboardOf({
    uid: 'organization',
    title: 'VB365 / Organization',
    description: 'Restores of an organization: what failed, how much was taken out, who did it, from where and why.',
    from: 'now-24h',
    variables: tenantVariables(),
    annotations: [firingAlerts(false)],
    rows: story,
  });
