import type { BoardPanel } from '../../dashboards/boards.js';

/** The time range of a dashboard, in seconds. */
export type TimeRange = Readonly<{ from: number; to: number; scrape: number }>;

/** Widths of a bar that Grafana may choose, in seconds. */
const widths = [60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** How far apart the points of a panel are: enough for `maxDataPoints`, and no less than `interval`. */
export function stepOf({ maxDataPoints = 1000, interval }: BoardPanel, { from, to }: TimeRange): number {
  const least = interval === '5m' ? 300 : 60;
  const wanted = Math.max(least, (to - from) / maxDataPoints);
  return widths.find(width => width >= wanted) ?? 86_400;
}

/** A query with everything chosen, as Grafana would send it. */
export function asked(query: string, step: number, { from, to, scrape }: TimeRange): string {
  const rate = Math.max(step + scrape, 4 * scrape);
  return query
    .replaceAll('$__rate_interval_ms', String(rate * 1000))
    .replaceAll('$__interval_ms', String(step * 1000))
    .replaceAll('$__rate_interval', `${String(rate)}s`)
    .replaceAll('$__interval', `${String(step)}s`)
    .replaceAll('$__range', `${String(to - from)}s`)
    .replaceAll('$__auto', `${String(to - from)}s`)
    .replaceAll(/"\$(\w+)"/g, (_, name: string) => (['organization', 'workload'].includes(name) ? '".*"' : '".+"'));
}
