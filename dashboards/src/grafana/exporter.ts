import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboardOf, firingAlerts, restarts, type Row } from './dashboard.js';
import { deliveryPanels } from './exporter-delivery.js';
import { headline, serverTable, upOverTime } from './exporter-headline.js';
import { processPanels } from './exporter-process.js';
import { readingPanels, trustPanels } from './exporter-reading.js';
import { instance, job, server, sourceVariable } from './variables.js';

const story: readonly Row[] = [
  { panels: headline() },
  { title: 'Servers', panels: [serverTable(), upOverTime()] },
  { title: 'Reading from the servers', panels: readingPanels() },
  { title: 'Delivering to metrics, logs and traces', panels: deliveryPanels() },
  { title: 'What was odd', panels: trustPanels() },
  { title: 'The process', panels: processPanels() },
];

/** Whether what the other dashboards say is complete and recent. */
export const exporterBoard = (): Dashboard =>
  dashboardOf({
    uid: 'exporter',
    title: 'VB365 / Exporter health',
    description: 'Whether vb365-exporter reads everything, delivers everything, and how late.',
    from: 'now-24h',
    variables: [sourceVariable('prometheus'), job, instance, server],
    annotations: [firingAlerts(true), restarts()],
    rows: story,
  });
