import { collectDefaultMetrics, Counter, Histogram, type Metric, type Registry } from 'prom-client';
import type { Family, Gauge } from '../telemetry/family.js';
import { boundText, type Format, labelText, sampleLine, type ServedFamily } from './exposition.js';
import { type GaugeTable, gaugeTable } from './gauge-table.js';

type Labels = Readonly<Record<string, string>>;

/** What the library tells of one metric. */
type Kept = Awaited<ReturnType<Metric['get']>>;

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
 * The instrument that keeps a family of counters or histograms, of which at most `server` is open: the library's.
 * Labels are copied, because the library keeps what it is given.
 */
export function libraryInstrument(family: Exclude<Family, Gauge>, registry: Registry): Instrument {
  const { name, help } = family;
  const common = { name, help, labelNames: [...family.labels], registers: [registry] };
  if (family.type === 'counter') return ofCounter(new Counter(common));
  return ofHistogram(new Histogram({ ...common, buckets: [...family.buckets] }));
}

/** A gauge, of which any label may be open: ours, because the library lets label sets with `,` and `:` fall together. */
export function gaugeInstrument(family: Gauge): GaugeTable & Instrument {
  return { begin: nothing, ...gaugeTable(family) };
}

/** Everything that `registry` keeps, as it stands. The library writes one format per registry; we write what is asked for. */
export async function libraryFamilies(registry: Registry): Promise<readonly ServedFamily[]> {
  const metrics = await registry.getMetricsAsJSON();
  return metrics.map(({ name, help, type, values }) => ({
    name,
    help,
    type,
    lines: format => values.map(value => libraryLine(name, value, format)),
  }));
}

function libraryLine(name: string, sample: Kept['values'][number], format: Format): string {
  const labels = Object.entries<string | number | undefined>(sample.labels);
  const values = labels.map(([label, value]) =>
    label === 'le' && typeof value === 'number' ? boundText(value, format) : String(value),
  );
  return sampleLine(
    'metricName' in sample ? sample.metricName : name,
    labelText(
      labels.map(([label]) => label),
      values,
    ),
    sample.value,
  );
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
