import { ExporterError } from '../kernel/errors.js';

/** How many rows to ask a server for at once: fewer when it is slow, more again when it is not. */
export interface PageSize {
  readonly limit: number;
  /** Tells of a page: how long it took, and whether it had as many rows as were asked for. */
  took(ms: number, full: boolean): void;
  /** Tells that a page could not be read. */
  failed(thrown: unknown): void;
}

/** A page that takes longer is too large for the server, as is one that times out. */
const slowMs = 10_000;
/** A full page that comes faster shows that it can do more. */
const fastMs = 2_000;
const growth = 1.1;
/** Smaller pages cost more requests than they spare. */
const smallest = 1_000;

/** Begins with `most`; stays above 1,000, or at `most` where that is less. */
export function pageSize(most: number): PageSize {
  const least = Math.min(most, smallest);
  let limit = most;
  const shrink = (): void => {
    limit = Math.max(least, Math.floor(limit / 2));
  };
  return {
    get limit() {
      return limit;
    },
    took: (ms, full) => {
      if (ms > slowMs) shrink();
      else if (full && ms < fastMs) limit = Math.min(most, Math.ceil(limit * growth));
    },
    failed: thrown => {
      if (thrown instanceof ExporterError && thrown.reason === 'timeout') shrink();
    },
  };
}
