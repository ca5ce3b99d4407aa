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

/** Colours the words of the API in a column. */
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

/** What a record is about that names nothing that was done: the session itself. */
const wholeSession = ['null', 'empty'].map(match => ({
  type: 'special',
  options: { match, result: { text: 'Session', index: 0 } },
}));

/** What columns of tables of log records look like, by the name people see. Ids lead to the session; they are not shown. */
const looks: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  Time: {
    'custom.width': 175,
    links: [{ title: 'This session', url: linkTo('session', { session: cell('Session'), trace: cell('Trace') }) }],
  },
  What: { 'custom.width': 85, mappings: wholeSession },
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

/** A table of log records with these columns, at most `maxLines` of them; `numbers` are attributes that are numbers. */
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
      veeam_restore_event_type: 'What',
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
  veeam_restore_event_type: 'What',
  veeam_restore_item_name: 'Item',
};

/** What went wrong last, of sessions and items alike. */
export const failures = (): PanelBuilder =>
  recordTable(
    {
      title: 'Latest failures',
      description: 'What went wrong last, newest first. A click on the time leads to the session.',
      height: 9,
      empty: 'Nothing failed in this time range, or no log records arrive in this Loki',
      query: failedRecords,
    },
    {
      maxLines: 100,
      columns: { ...whoAndWhat, error_message: 'Error' },
    },
  );

/** What left the backup, and whose it was. */
export const takenOutTable = (): PanelBuilder =>
  recordTable(
    {
      title: 'Taken out last: whose, by whom, where to, why',
      description: 'Items that were saved, exported or sent, newest first. A click on the time leads to the session.',
      height: 9,
      empty: 'Nothing was taken out in this time range, or no log records arrive in this Loki',
      query: `${itemRecords} | ${takenOut}`,
    },
    {
      maxLines: 100,
      columns: { ...whoAndWhat, veeam_restore_target: 'To', veeam_restore_session_reason: 'Reason' },
    },
  );
