import type { EventPage, EventRow } from '../pipeline/ports.js';
import { decodeEvent } from './decode-event.js';
import { type Asked, decodePage } from './page.js';
import type { Keep } from './receive.js';
import { takingRows } from './taking-rows.js';

/** A page of events while it comes. */
export type ComingPage = Readonly<{
  /** Is given the text of the page, piece by piece, and decodes the rows that are complete. */
  keep: Keep;
  /**
   * The whole page, from what was kept of its text.
   * @throws {ExporterError} `decode` as `decodePage`.
   */
  end: (json: unknown) => Omit<EventPage, 'readAt'>;
}>;

/** The page that was asked for, before anything of it is there. For one answer only. */
export function comingPage({ offset, limit }: Pick<Asked, 'offset' | 'limit'>): ComingPage {
  const rows: EventRow[] = [];
  const take = (row: unknown): void => void rows.push(decodeEvent(row, offset + rows.length));
  return {
    keep: takingRows(take),
    end: json => {
      const page = decodePage(json, { operation: 'events', offset, limit, taken: rows.length });
      for (const row of page.rows) take(row);
      return { ...page, offset, rows };
    },
  };
}
