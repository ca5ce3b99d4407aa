import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { inColours } from './colours.js';
import { dashboardOf, type Row } from './dashboard.js';
import { bars } from './graph-panels.js';
import { logs, trace } from './log-panels.js';
import { countOf, found, itemRecords, picked, sessionRecords } from './log-queries.js';
import type { PanelBuilder } from './panels.js';
import { logsNow, logsOverTime, records, traceOf } from './queries.js';
import { itemTable, sessionTable } from './record-tables.js';
import { stat, type StatFacts } from './value-panels.js';
import { job, organization, server, sourceVariable, textVariable, wordsVariable } from './variables.js';

const pickedSessions = `${sessionRecords} | ${picked} | veeam_restore_session_result=~"$result"`;
const pickedItems = `${itemRecords} | ${picked} | veeam_restore_event_status=~"$status" | ${found}`;
const empty = 'No log record fits; widen the time range or empty the fields above';

const logStat = (facts: Omit<StatFacts, 'empty' | 'source'>): PanelBuilder =>
  stat({ ...facts, width: 4, empty: 'None', source: 'loki' });

const redAboveZero = [
  [null, 'green'],
  [1, 'red'],
] as const;

const header = (): readonly PanelBuilder[] => [
  logStat({
    title: 'Sessions',
    description: 'Sessions that ended in the time range and fit the fields above.',
    unit: 'locale',
    decimals: 0,
    queries: [logsNow(`${countOf(pickedSessions)} or vector(0)`)],
  }),
  logStat({
    title: 'Failed sessions',
    description: 'Those of them that failed.',
    unit: 'locale',
    decimals: 0,
    steps: redAboveZero,
    queries: [logsNow(`${countOf(`${pickedSessions} | veeam_restore_session_result="Failed"`)} or vector(0)`)],
  }),
  logStat({
    title: 'Items',
    description: 'Items that fit the fields above.',
    unit: 'locale',
    decimals: 0,
    queries: [logsNow(`${countOf(pickedItems)} or vector(0)`)],
  }),
  logStat({
    title: 'Failed items',
    description: 'Those of them that failed.',
    unit: 'locale',
    decimals: 0,
    steps: redAboveZero,
    queries: [logsNow(`${countOf(`${pickedItems} | veeam_restore_event_status="Failed"`)} or vector(0)`)],
  }),
  logStat({
    title: 'Data',
    description: 'Size of these items, as far as the server tells it.',
    unit: 'bytes',
    decimals: 1,
    queries: [logsNow(`sum(sum_over_time(${pickedItems} | unwrap veeam_restore_item_size [$__auto]))`)],
  }),
  logStat({
    title: 'Longest session',
    description: 'How long the longest of these sessions was open; of one session, how long it was.',
    unit: 's',
    queries: [logsNow(`max(max_over_time(${pickedSessions} | unwrap veeam_restore_session_duration [$__auto]))`)],
  }),
];

const sessionList = (): PanelBuilder =>
  sessionTable({
    title: 'Sessions: who, from where, why',
    description: 'Sessions that ended, newest first. A click on the time narrows everything down to that session.',
    height: 9,
    empty,
    query: pickedSessions,
  });

const itemsOverTime = (): PanelBuilder =>
  bars({
    title: 'Items over time',
    description: 'When the items that fit were restored, by how it ended.',
    width: 24,
    height: 6,
    unit: 'short',
    decimals: 0,
    empty,
    source: 'loki',
    overrides: inColours('Success', 'Warning', 'Failed', 'Cancelled', 'Skipped'),
    queries: [logsOverTime(countOf(pickedItems, 'veeam_restore_event_status'), '{{veeam_restore_event_status}}')],
  });

const itemList = (): PanelBuilder =>
  itemTable({
    title: 'Items: what, from where, where to',
    description: 'Items that fit, newest first; at most 1,000. The menu of the panel has them as CSV: Inspect, Data.',
    height: 12,
    empty,
    query: pickedItems,
  });

const everything = (): PanelBuilder =>
  logs({
    title: 'Log records',
    description:
      'Everything that was said of these sessions, oldest first, the lines of the sessions themselves included.',
    width: 12,
    height: 12,
    unit: 'string',
    empty,
    source: 'loki',
    queries: [
      records(
        `{service_name="vb365-exporter"} | service_instance_id=~"$server" | veeam_organization_name=~"$organization" | ${picked}`,
        1000,
      ),
    ],
  });

const sessionTrace = (): PanelBuilder =>
  trace({
    title: 'Trace',
    description:
      'The session as a trace, each item a span. Needs Tempo and "traces.enabled" in the exporter, and a click on a session above.',
    width: 12,
    height: 12,
    unit: 'string',
    empty: 'Click on the time of a session above; this panel needs Tempo',
    source: 'tempo',
    queries: [traceOf('${trace}')],
  });

const story: readonly Row[] = [
  { panels: [...header(), sessionList()] },
  { title: 'What happened to the items?', panels: [itemsOverTime(), itemList()] },
  { title: 'In full', panels: [everything(), sessionTrace()] },
];

/** Sessions and their items, one by one: the place where alerts and the other dashboards lead to in the end. */
export const sessionBoard = (): Dashboard =>
  dashboardOf({
    uid: 'session',
    title: 'VB365 / Session explorer',
    description: 'Who restored what of whom, where to and why, session by session and item by item. Needs Loki.',
    from: 'now-24h',
    variables: [
      sourceVariable('prometheus'),
      sourceVariable('loki'),
      sourceVariable('tempo'),
      job,
      server,
      organization,
      wordsVariable('result', 'Session result', ['Success', 'Warning', 'Failed']),
      wordsVariable('status', 'Item status', ['Success', 'Warning', 'Failed', 'Cancelled', 'Skipped']),
      textVariable('initiator', 'Initiator', 'A part of the name of whoever opened the session.'),
      textVariable('search', 'Item or place', 'A part of the name of an item, or of where it was or went.'),
      textVariable('session', 'Session', 'The id of a session; a click on the time of one fills it in.'),
      textVariable('trace', 'Trace', 'The id of its trace; a click on the time of a session fills it in.'),
    ],
    annotations: [],
    rows: story,
  });
