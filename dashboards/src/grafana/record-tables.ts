import { forField } from './colours.js';
import { type Columns, ofRecords } from './columns.js';
import { cell, linkTo } from './links.js';
import { type Condition, failedRecords, itemRecords, takenOut } from './log-query.js';
import type { LogStore } from './log-store.js';
import type { PanelBuilder } from './panels.js';
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
const looksOf = (store: LogStore): Readonly<Record<string, Readonly<Record<string, unknown>>>> => ({
  Time: {
    'custom.width': 175,
    links: [
      { title: 'This session', url: linkTo(store, 'session', { session: cell('Session'), trace: cell('Trace') }) },
    ],
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
});

const ids: Columns = { 'veeam.restore.session.id': 'Session', trace_id: 'Trace' };

type Place = Readonly<{
  title: string;
  description: string;
  empty: string;
  height: number;
  records: readonly Condition[];
}>;

/** A table of at most `maxLines` log records; `numbers` lists numeric attributes. */
function recordTable(
  store: LogStore,
  { records, ...place }: Place,
  { maxLines, columns, numbers = [] }: Readonly<{ maxLines: number; columns: Columns; numbers?: readonly string[] }>,
): PanelBuilder {
  const named = Object.entries({ ...columns, ...ids }).map(
    ([attribute, name]) => [store.field(attribute), name] as const,
  );
  const shown: Columns = { Time: 'Time', ...Object.fromEntries<string>(named) };
  const looks = looksOf(store);
  return table({
    ...place,
    width: 24,
    unit: 'string',
    source: store.source,
    queries: [store.query({ show: 'newest', records, limit: maxLines })],
    transformations: ofRecords(shown, ...numbers.map(name => store.field(name))),
    overrides: Object.values(shown).flatMap(name => (looks[name] === undefined ? [] : [forField(name, looks[name])])),
  });
}

/** A table of records of sessions. */
export const sessionTable = (store: LogStore, place: Place): PanelBuilder =>
  recordTable(store, place, {
    maxLines: 500,
    columns: {
      'veeam.restore.session.result': 'Result',
      'veeam.organization.name': 'Organization',
      'veeam.restore.session.initiator': 'Initiator',
      'veeam.restore.session.client.address': 'Client',
      'veeam.restore.session.reason': 'Reason',
      'veeam.restore.session.scope': 'Scope',
      'veeam.restore.session.name': 'Name',
      'veeam.restore.session.duration': 'Duration',
    },
    numbers: ['veeam.restore.session.duration'],
  });

/** A table of records of items. */
export const itemTable = (store: LogStore, place: Place): PanelBuilder =>
  recordTable(store, place, {
    maxLines: 1000,
    columns: {
      'veeam.restore.event.status': 'Status',
      'veeam.restore.event.type': 'Operation',
      'veeam.restore.item.name': 'Item',
      'veeam.restore.item.type': 'Kind',
      'veeam.restore.item.size': 'Size',
      'veeam.restore.event.duration': 'Duration',
      'veeam.restore.source': 'From',
      'veeam.restore.target': 'To',
      'veeam.restore.session.initiator': 'Initiator',
      'error.message': 'Error',
    },
    numbers: ['veeam.restore.item.size', 'veeam.restore.event.duration'],
  });

const whoAndWhat: Columns = {
  'veeam.organization.name': 'Organization',
  'veeam.restore.session.initiator': 'Initiator',
  'veeam.restore.event.type': 'Operation',
  'veeam.restore.item.name': 'Item',
};

/** The latest failures of sessions and items. */
export const failures = (store: LogStore): PanelBuilder =>
  recordTable(
    store,
    {
      title: 'Latest failures',
      description: 'Failed sessions and items, newest first. Click the time to open the session.',
      height: 9,
      empty: `Nothing failed in this time range, or ${store.name} receives no log records`,
      records: failedRecords,
    },
    {
      maxLines: 100,
      columns: { ...whoAndWhat, 'error.message': 'Error' },
    },
  );

/** The latest exported items. */
export const takenOutTable = (store: LogStore): PanelBuilder =>
  recordTable(
    store,
    {
      title: 'Latest exports: whose, by whom, where to, why',
      description: 'Items that were saved, exported or sent, newest first. Click the time to open the session.',
      height: 9,
      empty: `Nothing was exported in this time range, or ${store.name} receives no log records`,
      records: [...itemRecords, takenOut],
    },
    {
      maxLines: 100,
      columns: { ...whoAndWhat, 'veeam.restore.target': 'To', 'veeam.restore.session.reason': 'Reason' },
    },
  );
