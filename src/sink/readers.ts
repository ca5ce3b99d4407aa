import type { Clock } from '../kernel/clock.js';

/** Who asked for metrics. */
export type Reader = Readonly<{
  /** Tells one from another. */
  key: string;
  /** It scrapes, as Prometheus does, and was not just looking. */
  scrapes: boolean;
}>;

/** Remembers who was served which page, for as long as that matters. */
export interface Readers {
  served(reader: Reader, page: number): void;
  /** The newest page that everybody who counts was served, or a later one in its place; 0 while nobody was. */
  everybodySaw(): number;
}

/** One that was not served for so long is not waited for: it is gone, or scrapes too rarely for a rule over 5 minutes. */
const forgottenAfterMs = 300_000;
/** So many are known at most. A newcomer beyond is not waited for, so that nobody can push out the ones that are. */
const most = 100;

type Seen = Readonly<{ page: number; atMs: number }>;

/** Scrapers count. Other readers count only while there is no scraper. */
export function createReaders(clock: Pick<Clock, 'monotonic'>): Readers {
  const scrapers = new Map<string, Seen>();
  const others = new Map<string, Seen>();
  let newest = 0;
  const counting = (): ReadonlyMap<string, Seen> => {
    for (const known of [scrapers, others]) forget(known, clock.monotonic() - forgottenAfterMs);
    return scrapers.size > 0 ? scrapers : others;
  };
  return {
    served: ({ key, scrapes }, page) => {
      const known = scrapes ? scrapers : others;
      if (counting() === known || scrapes) newest = Math.max(newest, page);
      const before = known.get(key);
      if (before === undefined && known.size >= most) return;
      known.set(key, { page: Math.max(page, before?.page ?? 0), atMs: clock.monotonic() });
    },
    everybodySaw: () => Math.min(newest, ...[...counting().values()].map(({ page }) => page)),
  };
}

function forget(known: Map<string, Seen>, beforeMs: number): void {
  for (const [key, { atMs }] of known) if (atMs < beforeMs) known.delete(key);
}
