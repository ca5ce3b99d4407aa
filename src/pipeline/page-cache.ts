import type { EventPage, Source } from './ports.js';

/** Pages of events, read once for all sinks that need the same one. */
export interface PageCache {
  /** As `Source.events`. A page stays the same until `invalidate`. */
  read(session: string, offset: number, signal: AbortSignal): Promise<EventPage | undefined>;
  /** Forgets every page. */
  invalidate(): void;
}

/** Enough for small sessions: a slower sink still finds their pages. */
const maxPages = 100;
/** Limits the memory to some 15 MB. The latest page is kept in any case. */
const maxRows = 10_000;

type CachedPage = { readonly page: Promise<EventPage | undefined>; reads: number; rows: number };

/** @param readers number of sinks: a page that all of them have read is dropped. */
export function createPageCache(source: Pick<Source, 'events'>, readers: number): PageCache {
  const pages = new Map<string, CachedPage>();
  const add = (key: string, page: CachedPage['page']): CachedPage => {
    const cached: CachedPage = { page, reads: 0, rows: 0 };
    pages.set(key, cached);
    void whenRead(key, cached);
    return cached;
  };
  const whenRead = async (key: string, cached: CachedPage): Promise<void> => {
    try {
      cached.rows = (await cached.page)?.rows.length ?? 0;
      evict(pages);
    } catch {
      if (pages.get(key) === cached) pages.delete(key);
    }
  };
  return {
    read: async (session, offset, signal) => {
      const key = `${session} ${String(offset)}`;
      const cached = pages.get(key) ?? add(key, source.events(session, offset, signal));
      cached.reads += 1;
      if (cached.reads >= readers) pages.delete(key);
      return cached.page;
    },
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
