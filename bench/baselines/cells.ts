import { percentile } from '../rig/stats.js';
import type { Outcome } from './outcome.js';

/** A column of a table: what it is called, and what it says of the runs of one contestant. */
export type Cell = Readonly<{ head: string; of: (runs: readonly Outcome[]) => string }>;

const shown = (value: number, digits: number): string =>
  value.toLocaleString('en', { maximumFractionDigits: digits, minimumFractionDigits: digits });

/** The median, and the least and the most where they look different. */
function middle(head: string, of: (one: Outcome) => number, digits = 0): Cell {
  const text = (values: readonly number[]): string => {
    const [least, median, most] = [1, 50, 100].map(percent => shown(percentile(values, percent), digits));
    return least === most ? String(median) : `${String(median)} (${String(least)} to ${String(most)})`;
  };
  return { head, of: runs => text(runs.map(of)) };
}

/** Over the events of all runs. */
const lag = (percent: number): Cell => ({
  head: `lag p${String(percent)}, s`,
  of: runs => {
    const lags = runs.flatMap(({ lagsMs }) => lagsMs);
    return shown(percentile(lags, percent) / 1_000, 1);
  },
});

const counted = middle('its counter says', one => one.counted ?? Number.NaN);

/** Every column there is. */
export const cells = {
  seconds: middle('time, s', one => one.seconds, 1),
  server: middle('requests to VB365', one => one.server),
  receiver: middle('requests to the receiver', one => one.receiver),
  cpu: middle('CPU, s', one => one.cpuSeconds, 2),
  memory: middle('peak memory, MB', one => one.peakMb),
  events: middle('events', one => one.events),
  lost: middle('lost', one => one.lost),
  repeated: middle('repeated', one => one.repeated),
  old: middle('old reported as new', one => one.old),
  counted: { ...counted, of: runs => (runs.some(one => one.counted === undefined) ? '-' : counted.of(runs)) },
  lag50: lag(50),
  lag99: lag(99),
} satisfies Readonly<Record<string, Cell>>;
