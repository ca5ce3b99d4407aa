import { eventTextLength } from '../model/event.js';
import type { EventPage, Source } from './ports.js';

/** Enough for small sessions, so that a slower sink still finds their pages. */
const maxPages = 100;
/** Limits the memory to some 15 MB, and to 32 MB when texts are long. The latest page is kept in any case. */
const [maxRows, charactersPerRow] = [10_000, 1_600];

/** `weight`: rows, or more when their texts are long. `waiting`: readers that want it. */
type CachedPage = {
  readonly page: Promise<EventPage | undefined>;
  readonly request: AbortController;
  reads: number;
  weight: number;
  waiting: number;
};

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
  const request = (session: string, offset: number): CachedPage => {
    const controller = new AbortController();
    const page = source.events(session, offset, controller.signal);
    return { page, request: controller, reads: 0, weight: 0, waiting: 0 };
  };
  return {
    /** As `Source.events`. A page stays the same until `invalidate`. Its request ends when every reader has aborted. */
    read: async (session: string, offset: number, signal: AbortSignal): Promise<EventPage | undefined> => {
      const key = `${session} ${String(offset)}`;
      const known = pages.get(key);
      const cached = known ?? request(session, offset);
      if (known === undefined) void keep(key, cached);
      cached.reads += 1;
      if (cached.reads >= readers) pages.delete(key);
      cached.waiting += 1;
      const leave = (): void => {
        cached.waiting -= 1;
        if (cached.waiting > 0) return;
        if (pages.get(key) === cached) pages.delete(key);
        cached.request.abort();
      };
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
      return cached.page.finally(() => signal.removeEventListener('abort', leave));
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
