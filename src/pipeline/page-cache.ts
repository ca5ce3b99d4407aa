import type { EventPage, Source } from './ports.js';

/** Enough for small sessions: a slower sink still finds their pages. */
const maxPages = 100;
/** Limits the memory to some 15 MB. The latest page is kept in any case. */
const maxRows = 10_000;

type CachedPage = { readonly page: Promise<EventPage | undefined>; reads: number; rows: number };

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
      cached.rows = (await cached.page)?.rows.length ?? 0;
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
      const cached = known ?? { page: source.events(session, offset, signal), reads: 0, rows: 0 };
      if (known === undefined) void keep(key, cached);
      cached.reads += 1;
      if (cached.reads >= readers) pages.delete(key);
      return cached.page;
    },
    /** Forgets every page. */
    invalidate: () => pages.clear(),
  };
}

/** Drops the oldest pages while there are too many pages or rows. */
function evict(pages: Map<string, CachedPage>): void {
  let rows = [...pages.values()].reduce((sum, cached) => sum + cached.rows, 0);
  for (const [key, cached] of pages) {
    if (pages.size <= 1 || (pages.size <= maxPages && rows <= maxRows)) return;
    rows -= cached.rows;
    pages.delete(key);
  }
}
