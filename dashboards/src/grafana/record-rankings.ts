import { type Condition, type Group, initiator, itemRecords, takenOut, withReason } from './log-query.js';
import type { LogStore } from './log-store.js';
import type { PanelBuilder } from './panels.js';
import { ranking } from './value-panels.js';

/** Text for no data. */
export const noRecords = ({ name }: LogStore): string => `No log records in this time range; this panel needs ${name}`;

type Top = Readonly<{ title: string; description: string; by: Group; records?: readonly Condition[] }>;

/** The ten most frequent values of an attribute, by default in records of items. */
export const top = (store: LogStore, { by, records = itemRecords, ...facts }: Top): PanelBuilder =>
  ranking({
    ...facts,
    width: 12,
    height: 8,
    unit: 'locale',
    decimals: 0,
    empty: noRecords(store),
    source: store.source,
    colour: 'semi-dark-blue',
    queries: [store.query({ show: 'top', records, by })],
  });

const takenItems = [...itemRecords, takenOut];

export const whoTookOut = (store: LogStore): PanelBuilder =>
  top(store, {
    by: initiator,
    title: 'Who exported data',
    description: 'Initiators who saved, exported or sent the most items.',
    records: takenItems,
  });

export const whyTakenOut = (store: LogStore): PanelBuilder =>
  top(store, {
    by: { attribute: 'veeam.restore.session.reason' },
    title: 'Why data was exported',
    description: 'Reasons for sessions in which items were saved, exported or sent. Explorers ask for none.',
    records: [...takenItems, withReason],
  });
