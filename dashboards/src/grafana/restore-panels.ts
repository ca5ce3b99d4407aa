import { failedItem } from '../recordings.js';
import { inColours } from './colours.js';
import { bars } from './graph-panels.js';
import { linkTo } from './links.js';
import type { LogStore } from './log-store.js';
import type { Facts, PanelBuilder } from './panels.js';
import { counted, now, ofTenant, orZero, overTime, perBar } from './queries.js';
import { thresholds as at } from '../thresholds.js';
import { stat } from './value-panels.js';

/** Series that several panels use. */
export const sessions = `vb365_restore_sessions_total{${ofTenant}}`;
export const failedSessions = `vb365_restore_sessions_total{${ofTenant},result="Failed"}`;
export const items = `vb365_restore_events_total{${ofTenant},event_type!="None"}`;
export const failedItems = `vb365_restore_events_total{${ofTenant},${failedItem}}`;
export const itemsTakenOut = `vb365_restore_events_total{${ofTenant},event_type=~"Save|Export|Send"}`;
export const bytes = `vb365_restore_item_bytes_total{${ofTenant},event_type!="None"}`;

const notScraped = 'Not scraped';

const sessionsEnded = (): PanelBuilder =>
  stat({
    title: 'Sessions ended',
    description: 'Restore sessions that stopped in the time range.',
    unit: 'locale',
    decimals: 0,
    empty: notScraped,
    queries: [now(orZero(counted(sessions)))],
  });

const sessionsFailed = (store: LogStore): PanelBuilder =>
  stat({
    title: 'Sessions failed',
    description: 'Restore sessions that stopped with the result Failed in the time range.',
    unit: 'locale',
    decimals: 0,
    empty: notScraped,
    steps: [
      [null, 'green'],
      [1, 'red'],
    ],
    queries: [now(orZero(counted(failedSessions)))],
    links: [{ title: 'List failed sessions', url: linkTo(store, 'session', { result: 'Failed' }) }],
  });

const itemsFailed = (): PanelBuilder =>
  stat({
    title: 'Items failed',
    description: 'Items that could not be viewed, restored, saved, exported or sent in the time range.',
    unit: 'locale',
    decimals: 0,
    empty: notScraped,
    steps: [
      [null, 'green'],
      [1, 'red'],
    ],
    queries: [now(orZero(counted(failedItems)))],
  });

const successRatio = (): PanelBuilder =>
  stat({
    title: 'Session success',
    description: 'Share of the sessions in the time range that did not fail. Warnings count as success.',
    unit: 'percentunit',
    decimals: 1,
    empty: 'No session ended',
    steps: [
      [null, 'red'],
      [1 - at.failureRatioHigh.shortRatio, 'yellow'],
      [1 - at.failureRatioElevated.shortRatio, 'green'],
    ],
    queries: [now(`1 - ${counted(failedSessions)}\n/\n(${counted(sessions)} > 0)`)],
  });

const openNow = (): PanelBuilder =>
  stat({
    title: 'Open now',
    description: 'Restore sessions that were open at the last poll.',
    unit: 'locale',
    decimals: 0,
    empty: notScraped,
    steps: [
      [null, 'text'],
      [1, 'blue'],
    ],
    queries: [now(orZero(`sum(max by (server, organization, workload) (vb365_restore_sessions_open{${ofTenant}}))`))],
  });

/** The first line of the dashboards Fleet and Organization. */
export const headline = (store: LogStore): readonly PanelBuilder[] => [
  sessionsEnded(),
  sessionsFailed(store),
  itemsFailed(),
  successRatio(),
  openNow(),
];

const nothing = 'Nothing was restored in this time range';

export const itemsByStatus = (width: number, height: number): PanelBuilder =>
  bars({
    title: 'Items by status',
    description: 'Items that were restored, viewed, saved, exported or sent, by status.',
    width,
    height,
    unit: 'short',
    decimals: 0,
    empty: nothing,
    overrides: inColours('Success', 'Warning', 'Failed', 'Cancelled', 'Skipped', 'other'),
    queries: [overTime(perBar(items, 'status'), '{{status}}')],
  });

/** Bars by operation; those that export data have warm colours. */
const barsByType = (
  counter: string,
  facts: Pick<Facts, 'title' | 'description' | 'width' | 'height' | 'unit' | 'decimals'>,
) =>
  bars({
    ...facts,
    empty: nothing,
    overrides: inColours('View', 'Restore', 'Save', 'Export', 'Send', 'other'),
    queries: [overTime(perBar(counter, 'event_type'), '{{event_type}}')],
  });

export const itemsByType = (width: number, height: number): PanelBuilder =>
  barsByType(items, {
    title: 'Items by operation',
    description: 'Restore and View do not export data. Save, Export and Send (warm colours) do.',
    width,
    height,
    unit: 'short',
    decimals: 0,
  });

export const bytesByType = (width: number, height: number): PanelBuilder =>
  barsByType(bytes, {
    title: 'Data by operation',
    description: 'Size of successfully restored items, as far as the server reports it.',
    width,
    height,
    unit: 'bytes',
  });
