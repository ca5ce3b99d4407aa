import { endedOrLate } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import { toExporterError } from '../kernel/errors.js';
import type { SeriesDelta, Store } from '../pipeline/ports.js';
import { families } from './catalogue.js';
import type { Scraper, Scrapers } from './scrapers.js';
import type { SeriesTable } from './series-table.js';

type IncrementHoldDeps = Readonly<{
  store: Pick<Store, 'commit'>;
  table: Pick<SeriesTable, 'apply' | 'firstPage' | 'releases'>;
  /** Undefined: the hold is off, and nothing is held back. */
  scrapers: Scrapers | undefined;
  /**
   * The series may continue on another replica: then what no page has shown is held back in the store, so that the other
   * one shows the old value first.
   */
  movable?: boolean;
  log: Pick<Log, 'warn'>;
}>;

/** A page does not wait longer for the store. */
const longestWaitMs = 2_000;

const heldFamilies: ReadonlySet<string> = new Set(families.filter(row => row.held === true).map(({ name }) => name));

/**
 * Holds increments back until every scraper has seen the series at its old value: `increase()` computes a change from
 * two samples. What is held back is stored with the count, so a crash at any point changes nothing.
 */
export class IncrementHold {
  readonly #deps: IncrementHoldDeps;
  #lastRelease = Promise.resolve();

  constructor(deps: IncrementHoldDeps) {
    this.#deps = deps;
  }

  /** The same deltas, with increments of series that some scraper has not seen marked as held back. */
  hold(deltas: readonly SeriesDelta[]): readonly SeriesDelta[] {
    const seen = this.#seenByAll();
    return deltas.map(delta => {
      if (delta.kind !== 'counter' || delta.by === 0) return delta;
      if (!heldFamilies.has(delta.family) && !this.#isMovable) return delta;
      const firstPage = this.#deps.table.firstPage(delta) ?? Infinity;
      return firstPage <= seen && !this.#isMovable ? delta : { ...delta, held: delta.by };
    });
  }

  /** Call when a page has been sent in full. Resolves when its releases are stored and applied; never rejects. */
  async served(scraper: Scraper, page: number): Promise<void> {
    this.#deps.scrapers?.served(scraper, page);
    return this.release();
  }

  /** Makes a page, when what it can show is released, or late without that. No series is removed in between. */
  async page<T>(make: () => Promise<T>): Promise<T> {
    if (!this.#isMovable) return make();
    const released = this.#release();
    const made = endedOrLate(released, longestWaitMs).then(make);
    this.#lastRelease = Promise.allSettled([released, made]).then(() => undefined);
    return made;
  }

  /** Releases what can be released now, except for what the next page shows first. Never rejects. */
  async release(): Promise<void> {
    if (!this.#isMovable) await this.#release();
  }

  get #isMovable(): boolean {
    return this.#deps.movable === true && this.#deps.scrapers !== undefined;
  }

  /**
   * Releases every increment whose series all scrapers have seen: stores the release, then applies it to the table.
   * One release at a time, or an increment would be released twice. Never rejects: what cannot be stored stays held.
   */
  async #release(): Promise<void> {
    this.#lastRelease = this.#lastRelease
      .then(async () => this.#storeReleases())
      .catch((thrown: unknown) => {
        const { message, details } = toExporterError(thrown);
        // Another replica releases the increments of a server that was lost.
        if (details['fenced'] !== true)
          this.#deps.log.warn('Could not store released increments, will retry', { error: message });
      });
    return this.#lastRelease;
  }

  /** Runs `action` while no release is under way, so that it can remove series of which increments are held back. */
  async pause(action: () => void): Promise<void> {
    const paused = this.#lastRelease.then(action);
    this.#lastRelease = paused.catch(() => undefined);
    return paused;
  }

  async #storeReleases(): Promise<void> {
    const { store, table } = this.#deps;
    const deltas = table.releases(this.#seenByAll());
    if (deltas.length === 0) return;
    // Deltas may belong to any server, whatever server the change names.
    await store.commit({ server: deltas[0]?.labels[0] ?? '', deltas });
    table.apply(deltas);
  }

  #seenByAll(): number {
    return this.#deps.scrapers?.seenByAll() ?? Infinity;
  }
}
