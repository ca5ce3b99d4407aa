import { initiatorOf, itemRecords, takenOut, topOf } from './log-queries.js';
import type { PanelBuilder } from './panels.js';
import { logsNow } from './queries.js';
import { ranking } from './value-panels.js';

/** What is said where no record is. */
export const noRecords = 'No log records in this time range; this panel needs Loki';

type Top = Readonly<{ title: string; description: string; query?: string; width?: number; height?: number }>;

/** The ten values of an attribute that the most records have; records of items unless told. */
export const top = (by: string, { query = itemRecords, ...facts }: Top): PanelBuilder =>
  ranking({
    width: 12,
    height: 8,
    ...facts,
    unit: 'locale',
    decimals: 0,
    empty: noRecords,
    source: 'loki',
    colour: 'semi-dark-blue',
    queries: [logsNow(topOf(query, by), `{{${by}}}`)],
  });

export const whoTookOut = (width: number, height: number): PanelBuilder =>
  top('initiator', {
    title: 'Who took data out',
    description: 'Who saved, exported or sent the most items.',
    query: `${itemRecords} | ${takenOut} | ${initiatorOf}`,
    width,
    height,
  });
