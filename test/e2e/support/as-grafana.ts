import type { BoardPanel, Target } from '../../dashboards/boards.js';

/** The time range of a dashboard, in seconds, and how often is scraped. */
export type TimeRange = Readonly<{ from: number; to: number; scrape: number }>;

/** What the viewer has chosen or typed, by the name of the variable; "All" and nothing else. */
export type Choices = Readonly<Record<string, string>>;

/** Widths of a bar that Grafana may choose, in seconds. */
const widths = [60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** How far apart the points of a panel are: enough for `maxDataPoints`, and no less than `interval`. */
export function stepOf({ maxDataPoints = 1000, interval }: BoardPanel, { from, to }: TimeRange): number {
  const least = interval === '5m' ? 300 : 60;
  const wanted = Math.max(least, (to - from) / maxDataPoints);
  return widths.find(width => width >= wanted) ?? 86_400;
}

/** One value, not one for each point of a graph. */
export const isInstant = ({ instant, queryType }: Target): boolean =>
  instant === true || ['instant', 'stats'].includes(queryType ?? '');

/** A query as Grafana would send it. */
export function asked(target: Target, panel: BoardPanel, range: TimeRange, choices: Choices = {}): string {
  const step = stepOf(panel, range);
  const { from, to, scrape } = range;
  const rate = Math.max(step + scrape, 4 * scrape);
  return (target.expr ?? '')
    .replaceAll('$__rate_interval_ms', String(rate * 1000))
    .replaceAll('$__interval_ms', String(step * 1000))
    .replaceAll('$__rate_interval', `${String(rate)}s`)
    .replaceAll('$__interval', `${String(step)}s`)
    .replaceAll('$__range', `${String(to - from)}s`)
    .replaceAll('$__auto', `${String(isInstant(target) ? to - from : step)}s`)
    .replaceAll(/"\$(\w+)"/g, (_, name: string) => `"${choices[name] ?? (limited.includes(name) ? '.+' : '.*')}"`)
    .replaceAll(/\$\{(\w+):regex\}/g, (_, name: string) => chosenAsRegex(name, choices[name]));
}

/** What Grafana makes of `${name:regex}`: "All" is as the variable says, typed text is escaped, and choices are separated by `|`. */
function chosenAsRegex(name: string, choice: string | undefined): string {
  if (typed.includes(name)) return escaped(choice ?? '');
  if (choice === undefined) return limited.includes(name) ? '.+' : '.*';
  const values = choice.split('|').map(escaped);
  return values.length === 1 ? (values[0] ?? '') : `(${values.join('|')})`;
}

const escaped = (text: string): string => text.replaceAll(/[\\^$*+?.()|[\]{}/]/g, '\\$&');

/** Variables that the viewer types. */
const typed = ['session', 'initiator', 'search'];

/** Variables whose "All" wants a value. */
const limited = ['job', 'instance', 'server'];
