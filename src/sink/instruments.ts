import { collectDefaultMetrics, Counter, Histogram, type Registry } from 'prom-client';
import type { Family } from '../telemetry/family.js';
import { gaugeTable } from './gauge-table.js';

type Labels = Readonly<Record<string, string>>;

/** A family that lives in this process only. */
export type Instrument = Readonly<{
  /** Counts, observes or sets. */
  change: (labels: Labels, value: number) => void;
  /** Brings a series into being at 0, where that is true before anything has happened. */
  begin: (labels: Labels) => void;
  /** Puts `rows` in place of all series of a server, at once. Gauges only. */
  replace: (server: string, rows: readonly Readonly<{ labels: Labels; value: number }>[]) => void;
}>;

/**
 * The instrument that `registry` serves a family from. The library's for what it keeps well: counters and histograms,
 * of which at most `server` is open. Gauges are ours. Labels are copied, because the library keeps what it is given.
 */
export function instrument(family: Family, registry: Registry): Instrument {
  const { name, help } = family;
  const common = { name, help, labelNames: [...family.labels], registers: [registry] };
  if (family.type === 'gauge') return { begin: nothing, ...gaugeTable(family, registry) };
  if (family.type === 'counter') return ofCounter(new Counter(common));
  return ofHistogram(new Histogram({ ...common, buckets: [...family.buckets] }));
}

const nothing = (): void => undefined;

const ofCounter = (counter: Counter<string>): Instrument => ({
  change: (labels, value) => {
    counter.inc({ ...labels }, value);
  },
  begin: labels => {
    counter.inc({ ...labels }, 0);
  },
  replace: nothing,
});

const ofHistogram = (histogram: Histogram<string>): Instrument => ({
  change: (labels, value) => {
    histogram.observe({ ...labels }, value);
  },
  begin: labels => {
    histogram.zero({ ...labels });
  },
  replace: nothing,
});

/** Metrics of the library whose names speak of a type, which `promtool check metrics` refuses. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
];

/** Has `registry` serve `process_*` and `nodejs_*`. */
export function observeProcess(registry: Registry): void {
  // The utilization that is dropped below is sampled on a timer; the longest there is keeps it from waking the process.
  collectDefaultMetrics({ register: registry, eventLoopUtilizationTimeout: 2 ** 31 - 1 });
  for (const name of misnamed) registry.removeSingleMetric(name);
}
