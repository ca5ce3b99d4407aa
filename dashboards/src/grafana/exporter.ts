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
  { title: 'Polling', panels: readingPanels() },
  { title: 'Delivery', panels: deliveryPanels() },
  { title: 'Anomalies', panels: trustPanels() },
  { title: 'Process', panels: processPanels() },
];

/** Whether the data of the other dashboards is complete and recent. */
export const exporterBoard = (): Dashboard =>
  dashboardOf({
    uid: 'exporter',
    title: 'VB365 / Exporter health',
    description: 'Whether vb365-exporter reads and delivers everything, and how late.',
    from: 'now-24h',
    variables: [sourceVariable('prometheus'), job, instance, server],
    annotations: [firingAlerts(true), restarts()],
    rows: story,
  });
