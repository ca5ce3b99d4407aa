import { collectDefaultMetrics, type Metric, Registry } from 'prom-client';
import { boundText, type Format, labelText, sampleLine, type ServedFamily } from './exposition.js';

/** One metric of the library with its values. */
type LibraryMetric = Awaited<ReturnType<Metric['get']>>;

/** Metrics of the library whose names contain a metric type, which `promtool check metrics` refuses. */
const misnamed = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
  'nodejs_eventloop_utilization_histogram',
  'nodejs_eventloop_utilization_summary',
];

/** Collects `process_*` and `nodejs_*` at each call. */
export function processMetrics(): () => Promise<readonly ServedFamily[]> {
  const registry = new Registry();
  // The longest interval there is: the utilization is removed below, but its timer would wake the process.
  collectDefaultMetrics({ register: registry, eventLoopUtilizationTimeout: 2 ** 31 - 1 });
  for (const name of misnamed) registry.removeSingleMetric(name);
  return async () => (await registry.getMetricsAsJSON()).map(served);
}

/** Written here, because the library writes one format per registry. */
const served = ({ name, help, type, values }: LibraryMetric): ServedFamily => ({
  name,
  help,
  type,
  write: format => values.map(value => libraryLine(name, value, format)).join(''),
});

function libraryLine(name: string, sample: LibraryMetric['values'][number], format: Format): string {
  const labels = Object.entries<string | number | undefined>(sample.labels);
  const values = labels.map(([label, value]) =>
    label === 'le' && typeof value === 'number' ? boundText(value, format) : String(value),
  );
  const names = labels.map(([label]) => label);
  return sampleLine('metricName' in sample ? sample.metricName : name, labelText(names, values), sample.value);
}
