import { families } from '../../src/metrics/catalogue.js';

/** What Prometheus itself, the kubelet, or the process adds: name and labels. */
const builtIn: Readonly<Record<string, readonly string[]>> = {
  up: [],
  scrape_samples_scraped: [],
  scrape_duration_seconds: [],
  kubelet_volume_stats_used_bytes: ['namespace', 'persistentvolumeclaim'],
  kubelet_volume_stats_capacity_bytes: ['namespace', 'persistentvolumeclaim'],
  process_start_time_seconds: [],
  process_resident_memory_bytes: [],
  process_cpu_seconds_total: [],
  process_open_fds: [],
  process_max_fds: [],
  nodejs_gc_duration_seconds_sum: ['kind'],
  nodejs_eventloop_lag_p99_seconds: [],
  ALERTS: ['alertname', 'alertstate', 'severity', 'component', 'server', 'organization'],
};

export type KnownFamily = Readonly<{ labels: readonly string[]; known: Readonly<Record<string, readonly string[]>> }>;

/** The labels and the known values of a metric of the catalogue; undefined when there is none. */
export function familyOf(metric: string): KnownFamily | undefined {
  const labels = builtIn[metric];
  if (labels !== undefined) return { labels, known: {} };
  const found = families.find(({ name, type }) =>
    type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`].includes(metric) : name === metric,
  );
  if (found === undefined) return undefined;
  return { labels: found.type === 'histogram' ? [...found.labels, 'le'] : found.labels, known: found.known ?? {} };
}

/** Labels that Prometheus gives to what it scrapes. */
export const ofTheScrape = ['job', 'instance'];
