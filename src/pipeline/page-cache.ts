import { eventTextLength } from '../model/event.js';
import type { EventPage, Source } from './ports.js';

/** Enough for small sessions, so that a slower sink still finds their pages. */
const maxPages = 100;
/** Limits the memory to some 15 MB, and to 32 MB when texts are long. The latest page is kept in any case. */
const [maxRows, charactersPerRow] = [10_000, 1_600];

/** `weight`: rows, or more when their texts are long. */
type CachedPage = { readonly page: Promise<EventPage | undefined>; reads: number; weight: number };

export type PageCache = ReturnType<typeof createPageCache>;

/**
 * Pages of events, read once for all sinks that need the same one.
 * @param readers number of sinks: a page that all of them have read is dropped.
 */
export function createPageCache(source: Pick<Source, 'events'>, readers: number) {
  const pages = new Map<string, CachedPage>();
  const keep = async (key: string, cached: CachedPage): Promise<void> => {
    pages.set(key, cached);
    try {
      cached.weight = weightOf(await cached.page);
      evict(pages);
    } catch {
      if (pages.get(key) === cached) pages.delete(key);
    }
  };
  return {
    /** As `Source.events`. A page stays the same until `invalidate`. */
    read: async (session: string, offset: number, signal: AbortSignal): Promise<EventPage | undefined> => {
      const key = `${session} ${String(offset)}`;
      const known = pages.get(key);
      const cached = known ?? { page: source.events(session, offset, signal), reads: 0, weight: 0 };
      if (known === undefined) void keep(key, cached);
      cached.reads += 1;
      if (cached.reads >= readers) pages.delete(key);
      return cached.page;
    },
    /** Forgets every page. */
    invalidate: () => pages.clear(),
  };
}

const weightOf = (page: EventPage | undefined): number =>
  page?.rows.reduce(
    (sum, row) => sum + ('event' in row ? Math.max(1, eventTextLength(row.event) / charactersPerRow) : 1),
    0,
  ) ?? 0;

/** Drops the oldest pages while there are too many pages or rows. */
function evict(pages: Map<string, CachedPage>): void {
  let weight = [...pages.values()].reduce((sum, cached) => sum + cached.weight, 0);
  for (const [key, cached] of pages) {
    if (pages.size <= 1 || (pages.size <= maxPages && weight <= maxRows)) return;
    weight -= cached.weight;
    pages.delete(key);
  }
}
