import { lines } from './graph-panels.js';
import type { Facts, PanelBuilder } from './panels.js';
import { ofProcess, overTime } from './queries.js';

type Short = Omit<Facts, 'width' | 'height' | 'empty'> & Partial<Pick<Facts, 'empty'>>;

const quarter = (facts: Short): PanelBuilder => lines({ width: 6, height: 8, empty: 'Not scraped', ...facts });

/** The chart names the claim `state-<release>-0`; the release has `vb365` in its name. */
const claims = 'persistentvolumeclaim=~"state-.*vb365.*"';
const volumeUse = `max by (namespace, persistentvolumeclaim) (
  kubelet_volume_stats_used_bytes{${claims}}
  / kubelet_volume_stats_capacity_bytes{${claims}}
)`;

const load = (): readonly PanelBuilder[] => [
  quarter({
    title: 'Memory',
    description: 'Resident memory of the process. It is bounded: the exporter queues no events.',
    unit: 'bytes',
    queries: [overTime(`process_resident_memory_bytes{${ofProcess}}`, '{{instance}}')],
  }),
  quarter({
    title: 'CPU',
    description: 'Share of one core in use.',
    unit: 'percentunit',
    queries: [overTime(`rate(process_cpu_seconds_total{${ofProcess}}[$__rate_interval])`, '{{instance}}')],
  }),
  quarter({
    title: 'Event loop delay, 99th percentile',
    description: 'How long the event loop was blocked.',
    unit: 's',
    queries: [overTime(`nodejs_eventloop_lag_p99_seconds{${ofProcess}}`, '{{instance}}')],
  }),
  quarter({
    title: 'Garbage collection',
    description: 'Share of time spent on garbage collection. Above 10 %, raise the memory limit.',
    unit: 'percentunit',
    queries: [
      overTime(
        `sum by (instance) (rate(nodejs_gc_duration_seconds_sum{${ofProcess}}[$__rate_interval]))`,
        '{{instance}}',
      ),
    ],
  }),
];

const limits = (): readonly PanelBuilder[] => [
  quarter({
    title: 'Scrape duration',
    description: 'How long Prometheus waited for the metrics. Its scrape_timeout is 10 s by default.',
    unit: 's',
    queries: [overTime(`scrape_duration_seconds{${ofProcess}}`, '{{instance}}')],
  }),
  quarter({
    title: 'Samples per scrape',
    description:
      'Number of samples per scrape. It grows with the number of organizations. An alert fires above 20,000.',
    unit: 'short',
    queries: [overTime(`scrape_samples_scraped{${ofProcess}}`, '{{instance}}')],
  }),
  quarter({
    title: 'Open files',
    description: 'Open files and connections, as a share of the limit.',
    unit: 'percentunit',
    queries: [overTime(`process_open_fds{${ofProcess}}\n/\nprocess_max_fds{${ofProcess}}`, '{{instance}}')],
  }),
  quarter({
    title: 'State volume usage',
    description:
      'Usage of the volume with the state file, as reported by the kubelet. When it is full, nothing is counted.',
    unit: 'percentunit',
    empty: 'Only available in Kubernetes',
    queries: [overTime(volumeUse, '{{namespace}}: {{persistentvolumeclaim}}')],
  }),
];

export const processPanels = (): readonly PanelBuilder[] => [...load(), ...limits()];
