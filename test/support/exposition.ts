import { exposition, type Format, type ServedFamily } from '../../src/metrics/exposition.js';
import type { Metrics } from '../../src/metrics/registry.js';

/** Everything that is served, as a scraper gets it. */
export const pageOf = async (metrics: Metrics, format: Format = 'text'): Promise<string> =>
  (await metrics.exposition(format)).body.toString();

/** A page of these families alone. */
export const pageWith = (families: readonly ServedFamily[], format: Format = 'text'): string =>
  exposition(families, format).toString();

/** The samples of one family in a page of metrics, a line each. */
export function linesOf(page: string, family: string): readonly string[] {
  const own = new RegExp(`^${family}(_bucket|_sum|_count)?[{ ]`);
  return page.split('\n').filter(line => own.test(line));
}
