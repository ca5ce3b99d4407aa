import { initiatorOf, itemRecords, takenOut, topOf } from './log-queries.js';
import type { PanelBuilder } from './panels.js';
import { logsNow } from './queries.js';
import { ranking } from './value-panels.js';

/** Text for no data. */
export const noRecords = 'No log records in this time range; this panel needs Loki';

type Top = Readonly<{ title: string; description: string; query?: string }>;

/** The ten most frequent values of an attribute, by default in records of items. */
export const top = (by: string, { query = itemRecords, ...facts }: Top): PanelBuilder =>
  ranking({
    ...facts,
    width: 12,
    height: 8,
    unit: 'locale',
    decimals: 0,
    empty: noRecords,
    source: 'loki',
    colour: 'semi-dark-blue',
    queries: [logsNow(topOf(query, by), `{{${by}}}`)],
  });

const takenItems = `${itemRecords} | ${takenOut}`;

export const whoTookOut = (): PanelBuilder =>
  top('initiator', {
    title: 'Who exported data',
    description: 'Initiators who saved, exported or sent the most items.',
    query: `${takenItems} | ${initiatorOf}`,
  });

export const whyTakenOut = (): PanelBuilder =>
  top('veeam_restore_session_reason', {
    title: 'Why data was exported',
    description: 'Reasons for sessions in which items were saved, exported or sent. Explorers ask for none.',
    query: `${takenItems} | veeam_restore_session_reason!=""`,
  });
