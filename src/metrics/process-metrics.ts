import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { boundText, type Format, labelText, sampleLine, type ServedFamily } from './exposition.js';

/** What the library tells of one metric. */
type Kept = Awaited<ReturnType<Metric['get']>>;

/** Metrics of the library whose names speak of a type, which `promtool check metrics` refuses. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
];

/** `process_*` and `nodejs_*`, as they stand at each call. */
export function processMetrics(): () => Promise<readonly ServedFamily[]> {
  const registry = new Registry();
  // The utilization that is dropped below is sampled on a timer; the longest there is keeps it from waking the process.
  collectDefaultMetrics({ register: registry, eventLoopUtilizationTimeout: 2 ** 31 - 1 });
  for (const name of misnamed) registry.removeSingleMetric(name);
  return async () => (await registry.getMetricsAsJSON()).map(served);
}

/** The library writes one format per registry; we write what is asked for. */
const served = ({ name, help, type, values }: Kept): ServedFamily => ({
  name,
  help,
  type,
  blocks: () => [{ write: format => values.map(value => libraryLine(name, value, format)).join('') }],
});

function libraryLine(name: string, sample: Kept['values'][number], format: Format): string {
  const labels = Object.entries<string | number | undefined>(sample.labels);
  const values = labels.map(([label, value]) =>
    label === 'le' && typeof value === 'number' ? boundText(value, format) : String(value),
  );
  const names = labels.map(([label]) => label);
  return sampleLine('metricName' in sample ? sample.metricName : name, labelText(names, values), sample.value);
}
