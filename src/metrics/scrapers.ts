import type { Clock } from '../kernel/clock.js';

/** A client of /metrics. */
export type Scraper = Readonly<{
  key: string;
  /** It scrapes as Prometheus does; false for a person or a script. */
  scrapes: boolean;
}>;

/** A scraper that was not served for this long is dropped: it is gone, or too slow for a rule over 5 minutes. */
const forgottenAfterMs = 300_000;
/** Maximum number of scrapers to remember. The hold does not wait for later ones, so nobody can evict known ones. */
const most = 100;

type ScraperGroup = {
  /** The page that each was served last, and when. */
  readonly known: Map<string, Readonly<{ page: number; atMs: number }>>;
  newestPage: number;
  /** When the first of all was served. */
  firstServedMs: number;
  /** One was served twice. */
  sawTwice: boolean;
};

/**
 * Remembers which page each scraper was served last. Other clients count only while there is no scraper.
 * A process that has just started knows no scraper, so it takes nothing as seen before one has been served twice: of
 * two that scrape at the same interval, the other one was served in between.
 */
export class Scrapers {
  readonly #clock: Pick<Clock, 'monotonic'>;
  readonly #scrapers = emptyGroup();
  readonly #others = emptyGroup();

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.#clock = clock;
  }

  served({ key, scrapes }: Scraper, page: number): void {
    const group = scrapes ? this.#scrapers : this.#others;
    const atMs = this.#clock.monotonic();
    const before = group.known.get(key);
    group.newestPage = Math.max(group.newestPage, page);
    group.firstServedMs = Math.min(group.firstServedMs, atMs);
    group.sawTwice ||= before !== undefined;
    if (before === undefined && group.known.size >= most) return;
    group.known.set(key, { page: Math.max(page, before?.page ?? 0), atMs });
  }

  /** The newest page such that every scraper was served it or a later one; 0 while there is none. */
  seenByAll(): number {
    const { known, newestPage, firstServedMs, sawTwice } = this.#counting();
    // A scraper that was forgotten before it came back is not waited for.
    if (!sawTwice && this.#clock.monotonic() - firstServedMs <= forgottenAfterMs) return 0;
    return Math.min(newestPage, ...Array.from(known.values(), ({ page }) => page));
  }

  #counting(): ScraperGroup {
    const [scrapers, others] = [this.#scrapers, this.#others];
    const forgottenMs = this.#clock.monotonic() - forgottenAfterMs;
    for (const { known } of [scrapers, others])
      for (const [key, { atMs }] of known) if (atMs < forgottenMs) known.delete(key);
    if (scrapers.known.size > 0) return scrapers;
    return others.known.size > 0 || others.newestPage > scrapers.newestPage ? others : scrapers;
  }
}

const emptyGroup = (): ScraperGroup => ({ known: new Map(), newestPage: 0, firstServedMs: Infinity, sawTwice: false });
