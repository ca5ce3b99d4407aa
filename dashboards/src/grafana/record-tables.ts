import { forField } from './colours.js';
import { type Columns, ofRecords } from './columns.js';
import { cell, linkTo } from './links.js';
import { failedFirst, failedRecords, itemRecords, takenOut } from './log-queries.js';
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
    'custom.width': 195,
    links: [{ title: 'This session', url: linkTo('session', { session: cell('Session'), trace: cell('Trace') }) }],
  },
  Operation: { 'custom.width': 95, mappings: wholeSession },
  Status: coloured,
  Result: coloured,
  Duration: { unit: 's', 'custom.width': 90 },
  Size: { unit: 'bytes', 'custom.width': 90 },
  Client: { 'custom.width': 110 },
  Organization: { 'custom.minWidth': 150 },
  Initiator: { 'custom.minWidth': 150 },
  Item: { 'custom.minWidth': 150 },
  Scope: { 'custom.width': 110 },
  Name: { 'custom.minWidth': 150 },
  To: { 'custom.minWidth': 150 },
  From: { 'custom.minWidth': 150 },
  Error: { 'custom.minWidth': 410, 'custom.inspect': true },
  Session: { 'custom.hidden': true },
  Trace: { 'custom.hidden': true },
};

const ids: Columns = { veeam_restore_session_id: 'Session', trace_id: 'Trace' };

type Place = Readonly<{
  title: string;
  description: string;
  empty: string;
  height: number;
  /** The rows of the first come first. */
  queries: readonly string[];
}>;

/** A table of at most `maxLines` log records for each query; `numbers` lists numeric attributes. */
function recordTable(
  { queries, ...place }: Place,
  { maxLines, columns, numbers = [] }: Readonly<{ maxLines: number; columns: Columns; numbers?: readonly string[] }>,
): PanelBuilder {
  const shown: Columns = { Time: 'Time', ...columns, ...ids };
  return table({
    ...place,
    width: 24,
    unit: 'string',
    source: 'loki',
    queries: queries.map(query => records(query, maxLines)),
    transformations: ofRecords(shown, ...numbers),
    overrides: Object.values(shown).flatMap(name => (looks[name] === undefined ? [] : [forField(name, looks[name])])),
  });
}

type ListPlace = Omit<Place, 'queries'> & Readonly<{ query: string }>;

/** A table of records of sessions, failed ones first. */
export const sessionTable = ({ query, ...place }: ListPlace): PanelBuilder =>
  recordTable(
    { ...place, queries: failedFirst(query) },
    {
      maxLines: 500,
      columns: {
        veeam_restore_session_result: 'Result',
        error_message: 'Error',
        veeam_organization_name: 'Organization',
        veeam_restore_session_initiator: 'Initiator',
        veeam_restore_session_client_address: 'Client',
        veeam_restore_session_reason: 'Reason',
        veeam_restore_session_scope: 'Scope',
        veeam_restore_session_name: 'Name',
        veeam_restore_session_duration: 'Duration',
      },
      numbers: ['veeam_restore_session_duration'],
    },
  );

/** A table of records of items, failed ones first. */
export const itemTable = ({ query, ...place }: ListPlace): PanelBuilder =>
  recordTable(
    { ...place, queries: failedFirst(query) },
    {
      maxLines: 1000,
      columns: {
        veeam_restore_event_status: 'Status',
        error_message: 'Error',
        veeam_restore_event_type: 'Operation',
        veeam_restore_item_name: 'Item',
          veeam_restore_item_size: 'Size',
        veeam_restore_event_duration: 'Duration',
        veeam_restore_source: 'From',
        veeam_restore_target: 'To',
        veeam_restore_session_initiator: 'Initiator',
      },
      numbers: ['veeam_restore_item_size', 'veeam_restore_event_duration'],
    },
  );

/** The latest failures of sessions and items. */
export const failures = (): PanelBuilder =>
  recordTable(
    {
      title: 'Latest failures',
      description:
        'When, whose, what, why: failed sessions and items, newest first. Click the time to open the session.',
      height: 9,
      empty: 'Nothing failed in this time range, or Loki receives no log records',
      queries: [failedRecords],
    },
    {
      maxLines: 100,
      columns: {
        veeam_organization_name: 'Organization',
        veeam_restore_source: 'From',
        veeam_restore_event_type: 'Operation',
        veeam_restore_item_name: 'Item',
        error_message: 'Error',
        veeam_restore_session_initiator: 'Initiator',
      },
    },
  );

/** The latest exported items. */
export const takenOutTable = (): PanelBuilder =>
  recordTable(
    {
      title: 'Latest exports: by whom, whose, where to, why',
      description: 'Items that were saved, exported or sent, newest first. Click the time to open the session.',
      height: 9,
      empty: 'Nothing was exported in this time range, or Loki receives no log records',
      queries: [`${itemRecords} | ${takenOut}`],
    },
    {
      maxLines: 100,
      columns: {
        veeam_restore_session_initiator: 'Initiator',
        veeam_restore_event_type: 'Operation',
        veeam_restore_item_name: 'Item',
        veeam_restore_source: 'From',
        veeam_restore_target: 'To',
        veeam_organization_name: 'Organization',
        veeam_restore_session_reason: 'Reason',
      },
    },
  );
