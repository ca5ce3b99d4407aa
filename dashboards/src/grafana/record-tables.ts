import { forField } from './colours.js';
import { type Columns, ofRecords } from './columns.js';
import { cell, linkTo } from './links.js';
import { failedRecords, itemRecords, takenOut } from './log-queries.js';
import type { PanelBuilder } from './panels.js';
import { records } from './queries.js';
import { table } from './value-panels.js';

const words: readonly (readonly [word: string, colour: string])[] = [
  ['Success', 'green'],
  ['Warning', 'yellow'],
  ['Failed', 'red'],
  ['Cancelled', 'orange'],
];

/** Colours the values of a column. */
const coloured = {
  'custom.cellOptions': { type: 'color-text' },
  'custom.width': 95,
  mappings: [
    {
      type: 'value',
      options: Object.fromEntries(words.map(([word, color], index) => [word, { text: word, color, index }])),
    },
  ],
};

/** A record without an event type is about the session itself. */
const wholeSession = ['null', 'empty'].map(match => ({
  type: 'special',
  options: { match, result: { text: 'Session', index: 0 } },
}));

/** Style of the columns by heading. Ids are hidden; they serve as link targets. */
const looks: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Time: {
    'custom.width': 175,
    links: [{ title: 'This session', url: linkTo('session', { session: cell('Session'), trace: cell('Trace') }) }],
  },
  Operation: { 'custom.width': 85, mappings: wholeSession },
  Status: coloured,
  Result: coloured,
  Duration: { unit: 's', 'custom.width': 90 },
  Size: { unit: 'bytes', 'custom.width': 90 },
  Kind: { 'custom.width': 110 },
  Client: { 'custom.width': 170 },
  Scope: { 'custom.width': 130 },
  Name: { 'custom.minWidth': 300 },
  To: { 'custom.minWidth': 200 },
  Error: { 'custom.minWidth': 200 },
  Session: { 'custom.hidden': true },
  Trace: { 'custom.hidden': true },
};

const ids: Columns = { veeam_restore_session_id: 'Session', trace_id: 'Trace' };

type Place = Readonly<{
  title: string;
  description: string;
  empty: string;
  height: number;
  query: string;
}>;

/** A table of at most `maxLines` log records; `numbers` lists numeric attributes. */
function recordTable(
  { query, ...place }: Place,
  { maxLines, columns, numbers = [] }: Readonly<{ maxLines: number; columns: Columns; numbers?: readonly string[] }>,
): PanelBuilder {
  const shown: Columns = { Time: 'Time', ...columns, ...ids };
  return table({
    ...place,
    width: 24,
    unit: 'string',
    source: 'loki',
    queries: [records(query, maxLines)],
    transformations: ofRecords(shown, ...numbers),
    overrides: Object.values(shown).flatMap(name => (looks[name] === undefined ? [] : [forField(name, looks[name])])),
  });
}

/** A table of records of sessions. */
export const sessionTable = (place: Place): PanelBuilder =>
  recordTable(place, {
    maxLines: 500,
    columns: {
      veeam_restore_session_result: 'Result',
      veeam_organization_name: 'Organization',
      veeam_restore_session_initiator: 'Initiator',
      veeam_restore_session_client_address: 'Client',
      veeam_restore_session_reason: 'Reason',
      veeam_restore_session_scope: 'Scope',
      veeam_restore_session_name: 'Name',
      veeam_restore_session_duration: 'Duration',
    },
    numbers: ['veeam_restore_session_duration'],
  });

/** A table of records of items. */
export const itemTable = (place: Place): PanelBuilder =>
  recordTable(place, {
    maxLines: 1000,
    columns: {
      veeam_restore_event_status: 'Status',
      veeam_restore_event_type: 'Operation',
      veeam_restore_item_name: 'Item',
      veeam_restore_item_type: 'Kind',
      veeam_restore_item_size: 'Size',
      veeam_restore_event_duration: 'Duration',
      veeam_restore_source: 'From',
      veeam_restore_target: 'To',
      veeam_restore_session_initiator: 'Initiator',
      error_message: 'Error',
    },
    numbers: ['veeam_restore_item_size', 'veeam_restore_event_duration'],
  });

const whoAndWhat: Columns = {
  veeam_organization_name: 'Organization',
  veeam_restore_session_initiator: 'Initiator',
  veeam_restore_event_type: 'Operation',
  veeam_restore_item_name: 'Item',
};

/** The latest failures of sessions and items. */
export const failures = (): PanelBuilder =>
  recordTable(
    {
      title: 'Latest failures',
      description: 'Failed sessions and items, newest first. Click the time to open the session.',
      height: 9,
      empty: 'Nothing failed in this time range, or Loki receives no log records',
      query: failedRecords,
    },
    {
      maxLines: 100,
      columns: { ...whoAndWhat, error_message: 'Error' },
    },
  );

/** The latest exported items. */
export const takenOutTable = (): PanelBuilder =>
  recordTable(
    {
      title: 'Latest exports: whose, by whom, where to, why',
      description: 'Items that were saved, exported or sent, newest first. Click the time to open the session.',
      height: 9,
      empty: 'Nothing was exported in this time range, or Loki receives no log records',
      query: `${itemRecords} | ${takenOut}`,
    },
    {
      maxLines: 100,
      columns: { ...whoAndWhat, veeam_restore_target: 'To', veeam_restore_session_reason: 'Reason' },
    },
  );
