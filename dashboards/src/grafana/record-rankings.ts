import { initiatorOf, itemRecords, takenOut, topOf } from './log-queries.js';
import type { PanelBuilder } from './panels.js';
import { logsNow } from './queries.js';
import { ranking } from './value-panels.js';

/** What is said where no record is. */
export const noRecords = 'No log records in this time range; this panel needs Loki';

type Top = Readonly<{ title: string; description: string; query?: string }>;

/** The ten values of an attribute that the most records have; records of items unless told. */
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
    title: 'Who took data out',
    description: 'Who saved, exported or sent the most items.',
    query: `${takenItems} | ${initiatorOf}`,
  });

export const whyTakenOut = (): PanelBuilder =>
  top('veeam_restore_session_reason', {
    title: 'Why data was taken out',
    description:
      'The reasons that initiators wrote, by items that were saved, exported or sent; Explorers ask for none.',
    query: `${takenItems} | veeam_restore_session_reason!=""`,
  });
