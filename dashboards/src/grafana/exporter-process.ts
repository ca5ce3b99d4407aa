import { lines } from './graph-panels.js';
import type { Facts, PanelBuilder } from './panels.js';
import { ofProcess, overTime } from './queries.js';

type Short = Omit<Facts, 'width' | 'height' | 'empty'> & Partial<Pick<Facts, 'empty'>>;

const quarter = (facts: Short): PanelBuilder => lines({ width: 6, height: 8, empty: 'Not scraped', ...facts });

/** The claim has the name that the chart gives it: `state-<release>-0`, where the release has the exporter in its name. */
const claims = 'persistentvolumeclaim=~"state-.*vb365.*"';
const volumeUse = `max by (namespace, persistentvolumeclaim) (
  kubelet_volume_stats_used_bytes{${claims}}
  / kubelet_volume_stats_capacity_bytes{${claims}}
)`;

const load = (): readonly PanelBuilder[] => [
  quarter({
    title: 'Memory',
    description: 'Resident memory of the process. It is bounded: nothing is queued in it.',
    unit: 'bytes',
    queries: [overTime(`process_resident_memory_bytes{${ofProcess}}`, '{{instance}}')],
  }),
  quarter({
    title: 'CPU',
    description: 'The part of one core that is in use.',
    unit: 'percentunit',
    queries: [overTime(`rate(process_cpu_seconds_total{${ofProcess}}[$__rate_interval])`, '{{instance}}')],
  }),
  quarter({
    title: 'Event loop delay, 99th percentile',
    description: 'How long the process was too busy to answer.',
    unit: 's',
    queries: [overTime(`nodejs_eventloop_lag_p99_seconds{${ofProcess}}`, '{{instance}}')],
  }),
  quarter({
    title: 'Garbage collection',
    description:
      'The part of the time that the process spent on freeing memory. Above a tenth it has too little of it.',
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
    title: 'Time of a scrape',
    description: 'How long Prometheus waited for the metrics. It gives up after its scrape_timeout, mostly 10 s.',
    unit: 's',
    queries: [overTime(`scrape_duration_seconds{${ofProcess}}`, '{{instance}}')],
  }),
  quarter({
    title: 'Samples per scrape',
    description: 'How many series a scrape brings; it grows with the organizations. An alert fires above 20,000.',
    unit: 'short',
    queries: [overTime(`scrape_samples_scraped{${ofProcess}}`, '{{instance}}')],
  }),
  quarter({
    title: 'Open files',
    description: 'Files and connections that are open, of those that the system allows.',
    unit: 'percentunit',
    queries: [overTime(`process_open_fds{${ofProcess}}\n/\nprocess_max_fds{${ofProcess}}`, '{{instance}}')],
  }),
  quarter({
    title: 'Volume of the state',
    description:
      'How full the volume with the state file is, as the kubelet says; when it is full, nothing is counted.',
    unit: 'percentunit',
    empty: 'Only Kubernetes tells',
    queries: [overTime(volumeUse, '{{namespace}}: {{persistentvolumeclaim}}')],
  }),
];

export const processPanels = (): readonly PanelBuilder[] => [...load(), ...limits()];
