import { lines } from './graph-panels.js';
import type { Facts, PanelBuilder } from './panels.js';
import { ofProcess, overTime } from './queries.js';

const quarter = (facts: Omit<Facts, 'width' | 'height' | 'empty'>): PanelBuilder =>
  lines({ width: 6, height: 8, empty: 'Not scraped', ...facts });

export const processPanels = (): readonly PanelBuilder[] => [
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
    title: 'Samples per scrape',
    description: 'How many series a scrape brings; it grows with the organizations. An alert fires above 20,000.',
    unit: 'short',
    queries: [overTime(`scrape_samples_scraped{${ofProcess}}`, '{{instance}}')],
  }),
];
