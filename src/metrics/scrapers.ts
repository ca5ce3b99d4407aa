import type { Clock } from '../kernel/clock.js';

/** Who asked for metrics. */
export type Scraper = Readonly<{
  /** Tells one from another. */
  key: string;
  /** It scrapes, as Prometheus does, and was not just looking. */
  scrapes: boolean;
}>;

/** Remembers who was served which page, for as long as that matters. */
export interface Scrapers {
  served(reader: Scraper, page: number): void;
  /** The newest page that everybody who counts was served, or a later one in its place; 0 while nobody was. */
  everybodySaw(): number;
}

/** One that was not served for so long is not waited for: it is gone, or scrapes too rarely for a rule over 5 minutes. */
const forgottenAfterMs = 300_000;
/** So many are known at most. A newcomer beyond is not waited for, so that nobody can push out the ones that are. */
const most = 100;

type Seen = Readonly<{ page: number; atMs: number }>;
type Group = {
  readonly known: Map<string, Seen>;
  newest: number;
  /** When the first of all was served. */
  beganMs: number;
  /** One was served twice. */
  cameBack: boolean;
};

/**
 * Scrapers count; other readers count only while there is no scraper. A process that has just started knows nobody, so
 * it takes nothing as seen before one has come back: of two that scrape at the same interval, the other was here by then.
 */
export function createScrapers(clock: Pick<Clock, 'monotonic'>): Scrapers {
  const [scrapers, others] = [emptyGroup(), emptyGroup()];
  const counting = (): Group => {
    for (const { known } of [scrapers, others]) forget(known, clock.monotonic() - forgottenAfterMs);
    if (scrapers.known.size > 0) return scrapers;
    return others.known.size > 0 || others.newest > scrapers.newest ? others : scrapers;
  };
  return {
    served: ({ key, scrapes }, page) => {
      const group = scrapes ? scrapers : others;
      const before = group.known.get(key);
      group.newest = Math.max(group.newest, page);
      group.beganMs = Math.min(group.beganMs, clock.monotonic());
      group.cameBack ||= before !== undefined;
      if (before === undefined && group.known.size >= most) return;
      group.known.set(key, { page: Math.max(page, before?.page ?? 0), atMs: clock.monotonic() });
    },
    everybodySaw: () => {
      const { known, newest, beganMs, cameBack } = counting();
      // One that is forgotten before it comes back has had its time.
      if (!cameBack && clock.monotonic() - beganMs <= forgottenAfterMs) return 0;
      return Math.min(newest, ...[...known.values()].map(({ page }) => page));
    },
  };
}

const emptyGroup = (): Group => ({ known: new Map(), newest: 0, beganMs: Infinity, cameBack: false });

function forget(known: Map<string, Seen>, beforeMs: number): void {
  for (const [key, { atMs }] of known) if (atMs < beforeMs) known.delete(key);
}
