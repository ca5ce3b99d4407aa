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
const empty = 'No log record matches; widen the time range or clear the filters';

const logStat = (facts: Omit<StatFacts, 'empty' | 'source'>): PanelBuilder =>
  stat({ ...facts, width: 4, empty: 'None', source: 'loki' });

const redAboveZero = [
  [null, 'green'],
  [1, 'red'],
] as const;

const header = (): readonly PanelBuilder[] => [
  logStat({
    title: 'Sessions',
    description: 'Sessions that ended in the time range and match the filters.',
    unit: 'locale',
    decimals: 0,
    queries: [logsNow(`${countOf(pickedSessions)} or vector(0)`)],
  }),
  logStat({
    title: 'Failed sessions',
    description: 'Failed ones among them.',
    unit: 'locale',
    decimals: 0,
    steps: redAboveZero,
    queries: [logsNow(`${countOf(`${pickedSessions} | veeam_restore_session_result="Failed"`)} or vector(0)`)],
  }),
  logStat({
    title: 'Items',
    description: 'Items that match the filters.',
    unit: 'locale',
    decimals: 0,
    queries: [logsNow(`${countOf(pickedItems)} or vector(0)`)],
  }),
  logStat({
    title: 'Failed items',
    description: 'Failed ones among them.',
    unit: 'locale',
    decimals: 0,
    steps: redAboveZero,
    queries: [logsNow(`${countOf(`${pickedItems} | veeam_restore_event_status="Failed"`)} or vector(0)`)],
  }),
  logStat({
    title: 'Data',
    description: 'Size of these items, as far as the server reports it.',
    unit: 'bytes',
    decimals: 1,
    queries: [logsNow(`sum(sum_over_time(${pickedItems} | unwrap veeam_restore_item_size [$__auto]))`)],
  }),
  logStat({
    title: 'Longest session',
    description: 'Duration of the longest of these sessions.',
    unit: 's',
    queries: [logsNow(`max(max_over_time(${pickedSessions} | unwrap veeam_restore_session_duration [$__auto]))`)],
  }),
];

const sessionList = (): PanelBuilder =>
  sessionTable({
    title: 'Sessions: who, from where, why',
    description: 'Sessions that ended: failed ones first, then newest first. Click the time to filter by that session.',
    height: 9,
    empty,
    query: pickedSessions,
  });

const itemsOverTime = (): PanelBuilder =>
  bars({
    title: 'Items over time',
    description: 'Matching items over time, by status.',
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
    description:
      'Matching items: failed ones first, then newest first, at most 1,000 of each. The panel menu offers CSV: Inspect, Data.',
    height: 12,
    empty,
    query: pickedItems,
  });

const everything = (): PanelBuilder =>
  logs({
    title: 'Log records',
    description: 'All log records of these sessions, oldest first, including lines about the session itself.',
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
      'The session as a trace with one span per item. Needs Tempo, "traces.enabled" in the exporter, and a selected session.',
    width: 12,
    height: 12,
    unit: 'string',
    empty: 'Click the time of a session above; this panel needs Tempo',
    source: 'tempo',
    queries: [traceOf('${trace}')],
  });

const story: readonly Row[] = [
  { panels: [...header(), sessionList()] },
  { title: 'Items of these sessions', panels: [itemsOverTime(), itemList()] },
  { title: 'Details', panels: [everything(), sessionTrace()] },
];

/** Single sessions and their items; the other dashboards link here. */
export const sessionBoard = (): Dashboard =>
  dashboardOf({
    uid: 'session',
    title: 'VB365 / Session explorer',
    description: 'Who restored what of whom, where to and why, by session and item. Needs Loki.',
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
      textVariable('initiator', 'Initiator', 'Part of the name of the initiator.'),
      textVariable('search', 'Item or place', 'Part of the name of an item, its source or its target.'),
      textVariable('session', 'Session', 'Session id; click the time of a session to fill it in.'),
      textVariable('trace', 'Trace', 'Trace id; click the time of a session to fill it in.'),
    ],
    annotations: [],
    rows: story,
  });
