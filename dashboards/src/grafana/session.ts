import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { inColours } from './colours.js';
import { dashboardOf, type Row } from './dashboard.js';
import { bars } from './graph-panels.js';
import { logs, trace } from './log-panels.js';
import {
  allRecords,
  type Condition,
  countedFailure,
  found,
  itemRecords,
  type LogQuery,
  picked,
  sessionRecords,
} from './log-query.js';
import type { LogStore } from './log-store.js';
import type { PanelBuilder } from './panels.js';
import { itemTable, sessionTable } from './record-tables.js';
import { stat, type StatFacts } from './value-panels.js';
import { job, organization, server, sourceVariable, textVariable, wordsVariable } from './variables.js';

const pickedSessions: readonly Condition[] = [
  ...sessionRecords,
  ...picked,
  { attribute: 'veeam.restore.session.result', isChosenIn: 'result' },
];
const pickedItems: readonly Condition[] = [
  ...itemRecords,
  ...picked,
  { attribute: 'veeam.restore.event.status', isChosenIn: 'status' },
  found,
];
const empty = 'No log record matches; widen the time range or clear the filters';

type NumberFacts = Omit<StatFacts, 'empty' | 'source' | 'queries'> & Readonly<{ query: LogQuery }>;

const logStat = (store: LogStore, { query, ...facts }: NumberFacts): PanelBuilder =>
  stat({ ...facts, width: 4, empty: 'None', source: store.source, queries: [store.query(query)] });

const redAboveZero = [
  [null, 'green'],
  [1, 'red'],
] as const;

const header = (store: LogStore): readonly PanelBuilder[] => [
  logStat(store, {
    title: 'Sessions',
    description: 'Sessions that ended in the time range and match the filters.',
    unit: 'locale',
    decimals: 0,
    query: { show: 'count', records: pickedSessions },
  }),
  logStat(store, {
    title: 'Failed sessions',
    description: 'Failed ones among them.',
    unit: 'locale',
    decimals: 0,
    steps: redAboveZero,
    query: {
      show: 'count',
      records: [...pickedSessions, { attribute: 'veeam.restore.session.result', is: 'Failed' }],
    },
  }),
  logStat(store, {
    title: 'Items',
    description: 'Items that match the filters.',
    unit: 'locale',
    decimals: 0,
    query: { show: 'count', records: pickedItems },
  }),
  logStat(store, {
    title: 'Failed items',
    description: 'Failed ones among them, as the alerts count them.',
    unit: 'locale',
    decimals: 0,
    steps: redAboveZero,
    query: { show: 'count', records: [...pickedItems, ...countedFailure] },
  }),
  logStat(store, {
    title: 'Data',
    description: 'Size of these items, as far as the server reports it.',
    unit: 'bytes',
    decimals: 1,
    query: { show: 'sum', records: pickedItems, of: 'veeam.restore.item.size' },
  }),
  logStat(store, {
    title: 'Longest session',
    description: 'Duration of the longest of these sessions.',
    unit: 's',
    query: { show: 'max', records: pickedSessions, of: 'veeam.restore.session.duration' },
  }),
];

const sessionList = (store: LogStore): PanelBuilder =>
  sessionTable(store, {
    title: 'Sessions: who, from where, why',
    description: 'Sessions that ended: failed ones first, then newest first. Click the time to filter by that session.',
    height: 9,
    empty,
    records: pickedSessions,
  });

const itemsOverTime = (store: LogStore): PanelBuilder =>
  bars({
    title: 'Items over time',
    description: 'Matching items over time, by status.',
    width: 24,
    height: 6,
    unit: 'short',
    decimals: 0,
    empty,
    source: store.source,
    overrides: inColours('Success', 'Warning', 'Failed', 'Cancelled', 'Skipped'),
    queries: [store.query({ show: 'per bar', records: pickedItems, by: { attribute: 'veeam.restore.event.status' } })],
  });

const itemList = (store: LogStore): PanelBuilder =>
  itemTable(store, {
    title: 'Items: what, whose, from where, where to',
    description:
      'Matching items: failed ones first, then newest first, at most 1,000 of each. The panel menu offers CSV: Inspect, Data.',
    height: 12,
    empty,
    records: pickedItems,
  });

const everything = (store: LogStore): PanelBuilder =>
  logs({
    title: 'Log records',
    description: 'All log records of these sessions, oldest first, including lines about the session itself.',
    width: 12,
    height: 12,
    unit: 'string',
    empty,
    source: store.source,
    queries: [store.query({ show: 'newest', records: [...allRecords, ...picked], limit: 1000 })],
  });

const sessionTrace = ({ traces }: LogStore): PanelBuilder =>
  trace({
    title: 'Trace',
    description: `The session as a trace with one span per item, whose attributes name the owner and the relation. Needs ${traces.name}, "traces.enabled" in the exporter, and a selected session.`,
    width: 12,
    height: 12,
    unit: 'string',
    empty: `Click the time of a session above; this panel needs ${traces.name}`,
    source: traces.source,
    queries: [traces.byId('${trace}')],
  });

const story = (store: LogStore): readonly Row[] => [
  { panels: [...header(store), sessionList(store)] },
  { title: 'Items of these sessions', panels: [itemsOverTime(store), itemList(store)] },
  { title: 'Details', panels: [everything(store), sessionTrace(store)] },
];

/** Single sessions and their items; the other dashboards link here. */
export const sessionBoard = (store: LogStore): Dashboard =>
  dashboardOf({
    uid: 'session',
    title: 'VB365 / Session explorer',
    description: `Who restored what of whom, where to and why, by session and item. Needs ${store.name}.`,
    from: 'now-24h',
    variables: [
      sourceVariable('prometheus'),
      sourceVariable(store.source),
      sourceVariable(store.traces.source),
      job,
      server,
      organization,
      wordsVariable('result', 'Session result', ['Success', 'Warning', 'Failed']),
      wordsVariable('status', 'Item status', ['Success', 'Warning', 'Failed', 'Cancelled', 'Skipped']),
      textVariable('initiator', 'Initiator', 'Part of the name of the initiator.'),
      textVariable(
        'search',
        'Item, place or owner',
        'Part of the name of an item, its source, its target or its owner.',
      ),
      textVariable('session', 'Session', 'Session id; click the time of a session to fill it in.'),
      textVariable('trace', 'Trace', 'Trace id; click the time of a session to fill it in.'),
    ],
    annotations: [],
    rows: story(store),
  });
