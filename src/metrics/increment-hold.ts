import { type ExporterError, toExporterError } from '../kernel/errors.js';
import type { SeriesDelta } from '../pipeline/ports.js';
import { families } from './catalogue.js';
import type { Scraper, Scrapers } from './scrapers.js';
import type { SeriesTable } from './series-table.js';

/**
 * Sees to it that a series is seen at its old value before its first increment: `increase()` knows a change only from
 * two samples. What it holds back is stored with the count, so that a crash at any point changes nothing.
 */
export interface IncrementHold {
  /** The same changes; increments of what not everybody has seen yet are held back. */
  hold(deltas: readonly SeriesDelta[]): readonly SeriesDelta[];
  /** To be called when a page has been sent to the last byte. Resolves when what may now be shown is stored; never rejects. */
  served(reader: Scraper, page: number): Promise<void>;
  /** Lets go of whatever may be shown now; resolves when it is stored. Never rejects: what fails stays held. */
  release(): Promise<void>;
}

export type IncrementHoldDeps = Readonly<{
  table: Pick<SeriesTable, 'firstPage' | 'letGo'>;
  /** Undefined: nobody is waited for, and nothing is held back. */
  scrapers: Scrapers | undefined;
  /** Stores the changes, then applies them to the table. */
  store: (deltas: readonly SeriesDelta[]) => Promise<void>;
  /** Told why something could not be stored. */
  failed: (error: ExporterError) => void;
}>;

const held: ReadonlySet<string> = new Set(families.filter(row => row.held === true).map(({ name }) => name));

export function createIncrementHold({ table, scrapers, store, failed }: IncrementHoldDeps): IncrementHold {
  const everybodySaw = (): number => scrapers?.everybodySaw() ?? Infinity;
  const storeSeen = async (): Promise<void> => {
    const deltas = table.letGo(everybodySaw());
    if (deltas.length > 0) await store(deltas);
  };
  let last = Promise.resolve();
  const letGo = async (): Promise<void> => {
    // One after the other: what is let go of twice would count as less than nothing.
    last = last.then(storeSeen).catch((thrown: unknown) => {
      failed(toExporterError(thrown));
    });
    return last;
  };
  return {
    hold: deltas => {
      const seen = everybodySaw();
      return deltas.map(delta => {
        if (delta.kind !== 'counter' || delta.by === 0 || !held.has(delta.family)) return delta;
        const firstPage = table.firstPage(delta) ?? Infinity;
        return firstPage <= seen ? delta : { ...delta, held: delta.by };
      });
    },
    served: async (reader, page) => {
      scrapers?.served(reader, page);
      return letGo();
    },
    release: letGo,
  };
}
