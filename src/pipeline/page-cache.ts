import type { EventPage, Source } from './ports.js';

/** Pages of events, read once for all sinks that stand at the same place. */
export interface PageCache {
  /** As `Source.events`. A page is the same for everybody until `renew`. */
  read(session: string, offset: number, signal: AbortSignal): Promise<EventPage | undefined>;
  /** Forgets every page: what is read from here on is new. */
  invalidate(): void;
}

/** Small sessions by the hundred: a sink that is a little slower finds them still there. */
const keptPages = 100;
/** Some 15 MB, which a collector of garbage has to look through again and again. The latest page is kept in any case. */
const keptRows = 10_000;

type CachedPage = { readonly page: Promise<EventPage | undefined>; reads: number; rows: number };

/** @param readers how many sinks there are: a page that all of them have read is not kept any longer. */
export function createPageCache(source: Pick<Source, 'events'>, readers: number): PageCache {
  const pages = new Map<string, CachedPage>();
  const begin = (key: string, page: CachedPage['page']): CachedPage => {
    const kept: CachedPage = { page, reads: 0, rows: 0 };
    pages.set(key, kept);
    void settled(key, kept);
    return kept;
  };
  const settled = async (key: string, kept: CachedPage): Promise<void> => {
    try {
      kept.rows = (await kept.page)?.rows.length ?? 0;
      trim(pages);
    } catch {
      if (pages.get(key) === kept) pages.delete(key);
    }
  };
  return {
    read: async (session, offset, signal) => {
      const key = `${session} ${String(offset)}`;
      const kept = pages.get(key) ?? begin(key, source.events(session, offset, signal));
      kept.reads += 1;
      if (kept.reads >= readers) pages.delete(key);
      return kept.page;
    },
    invalidate: () => pages.clear(),
  };
}

/** Forgets the oldest of too many. */
function trim(pages: Map<string, CachedPage>): void {
  let rows = [...pages.values()].reduce((sum, kept) => sum + kept.rows, 0);
  for (const [key, kept] of pages) {
    if (pages.size <= 1 || (pages.size <= keptPages && rows <= keptRows)) return;
    rows -= kept.rows;
    pages.delete(key);
  }
}
