import type { EventPage, Source } from './ports.js';

/** Pages of events, read once for all sinks that stand at the same place. */
export interface Pages {
  /** As `Source.events`. A page is the same for everybody until `renew`. */
  read(session: string, offset: number, signal: AbortSignal): Promise<EventPage | undefined>;
  /** Forgets every page: what is read from here on is new. */
  renew(): void;
}

/** A handful is enough: sinks that are at the same place ask within moments of each other. */
const kept = 8;

export function sharedPages(source: Pick<Source, 'events'>): Pages {
  const pages = new Map<string, Promise<EventPage | undefined>>();
  return {
    read: async (session, offset, signal) => {
      const key = `${session} ${String(offset)}`;
      const known = pages.get(key);
      if (known !== undefined) return known;
      const page = source.events(session, offset, signal);
      pages.set(key, page);
      for (const oldest of [...pages.keys()].slice(0, Math.max(0, pages.size - kept))) pages.delete(oldest);
      page.catch(() => {
        if (pages.get(key) === page) pages.delete(key);
      });
      return page;
    },
    renew: () => pages.clear(),
  };
}
