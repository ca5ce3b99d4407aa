import { forField } from './colours.js';
import { type Columns, ofRecords } from './columns.js';
import { cell, linkTo } from './links.js';
import { type Condition, failedFirst, failedRecords, itemRecords, takenOut } from './log-query.js';
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
    'custom.width': 195,
    links: [
      { title: 'This session', url: linkTo(store, 'session', { session: cell('Session'), trace: cell('Trace') }) },
    ],
  },
  Operation: { 'custom.width': 95, mappings: wholeSession },
  Status: coloured,
  Result: coloured,
  Duration: { unit: 's', 'custom.width': 90 },
  Size: { unit: 'bytes', 'custom.width': 90 },
  'Client host': { 'custom.width': 110 },
  Owner: { 'custom.minWidth': 150 },
  'Owner id': { 'custom.width': 110 },
  Relation: { 'custom.width': 85 },
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
});

const ids: Columns = { 'veeam.restore.session.id': 'Session', trace_id: 'Trace' };

/** Whose data it is. */
const whose: Columns = { 'veeam.restore.owner.name': 'Owner', 'veeam.restore.owner.relation': 'Relation' };

type Place = Readonly<{
  title: string;
  description: string;
  empty: string;
  height: number;
  /** What each query lists; the rows of the first come first. */
  lists: readonly (readonly Condition[])[];
}>;

/** A table of at most `maxLines` log records for each query; `numbers` lists numeric attributes. */
function recordTable(
  store: LogStore,
  { lists, ...place }: Place,
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
    queries: lists.map(records => store.query({ show: 'newest', records, limit: maxLines })),
    transformations: ofRecords(shown, ...numbers.map(name => store.field(name))),
    overrides: Object.values(shown).flatMap(name => (looks[name] === undefined ? [] : [forField(name, looks[name])])),
  });
}

type ListPlace = Omit<Place, 'lists'> & Readonly<{ records: readonly Condition[] }>;

/** A table of records of sessions, failed ones first. */
export const sessionTable = (store: LogStore, { records, ...place }: ListPlace): PanelBuilder =>
  recordTable(
    store,
    { ...place, lists: failedFirst(records) },
    {
      maxLines: 500,
      columns: {
        'veeam.restore.session.result': 'Result',
        'error.message': 'Error',
        'veeam.organization.name': 'Organization',
        'veeam.restore.session.initiator': 'Initiator',
        'veeam.restore.session.client.host': 'Client host',
        'veeam.restore.session.reason': 'Reason',
        'veeam.restore.session.scope': 'Scope',
        'veeam.restore.session.name': 'Name',
        'veeam.restore.session.duration': 'Duration',
      },
      numbers: ['veeam.restore.session.duration'],
    },
  );

/** A table of records of items, failed ones first. */
export const itemTable = (store: LogStore, { records, ...place }: ListPlace): PanelBuilder =>
  recordTable(
    store,
    { ...place, lists: failedFirst(records) },
    {
      maxLines: 1000,
      columns: {
        'veeam.restore.event.status': 'Status',
        'error.message': 'Error',
        'veeam.restore.event.type': 'Operation',
        ...whose,
        'veeam.restore.owner.id': 'Owner id',
        'veeam.restore.item.name': 'Item',
        'veeam.restore.item.size': 'Size',
        'veeam.restore.event.duration': 'Duration',
        'veeam.restore.source': 'From',
        'veeam.restore.target': 'To',
        'veeam.restore.session.initiator': 'Initiator',
      },
      numbers: ['veeam.restore.item.size', 'veeam.restore.event.duration'],
    },
  );

/** The latest failures of sessions and items. */
export const failures = (store: LogStore): PanelBuilder =>
  recordTable(
    store,
    {
      title: 'Latest failures',
      description:
        'When, whose, what, why: failed sessions and items, newest first. Click the time to open the session.',
      height: 9,
      empty: `Nothing failed in this time range, or ${store.name} receives no log records`,
      lists: [failedRecords],
    },
    {
      maxLines: 100,
      columns: {
        'veeam.organization.name': 'Organization',
        'veeam.restore.source': 'From',
        'veeam.restore.event.type': 'Operation',
        'veeam.restore.item.name': 'Item',
        'error.message': 'Error',
        'veeam.restore.session.initiator': 'Initiator',
      },
    },
  );

/** The latest exported items. */
export const takenOutTable = (store: LogStore): PanelBuilder =>
  recordTable(
    store,
    {
      title: 'Latest exports: by whom, whose, where to, why',
      description: 'Items that were saved, exported or sent, newest first. Click the time to open the session.',
      height: 9,
      empty: `Nothing was exported in this time range, or ${store.name} receives no log records`,
      lists: [[...itemRecords, takenOut]],
    },
    {
      maxLines: 100,
      columns: {
        'veeam.restore.session.initiator': 'Initiator',
        'veeam.restore.event.type': 'Operation',
        ...whose,
        'veeam.restore.item.name': 'Item',
        'veeam.restore.source': 'From',
        'veeam.restore.target': 'To',
        'veeam.organization.name': 'Organization',
        'veeam.restore.session.reason': 'Reason',
      },
    },
  );
