import type { Builder } from '@grafana/grafana-foundation-sdk/cog';
import {
  type AnnotationQuery,
  AnnotationQueryBuilder,
  type Dashboard,
  DashboardBuilder,
  DashboardCursorSync,
  DashboardLinkBuilder,
  DashboardLinkType,
  type Panel,
  type RowPanel,
  RowBuilder,
} from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboardUids } from '../rule.js';
import { tag } from './links.js';
import type { PanelBuilder } from './panels.js';
import { chosen, type Variable } from './variables.js';

/** Panels under a heading; a line is 24 columns wide. */
export type Row = Readonly<{ title?: string; panels: readonly PanelBuilder[] }>;

export type Story = Readonly<{
  uid: keyof typeof dashboardUids;
  title: string;
  description: string;
  /** Start of the default time range, such as `now-24h`. */
  from: string;
  variables: readonly Variable[];
  annotations: readonly Builder<AnnotationQuery>[];
  rows: readonly Row[];
}>;

/** A dashboard as Grafana reads it. */
export function dashboardOf({ uid, title, description, from, variables, annotations, rows }: Story): Dashboard {
  const builder = new DashboardBuilder(title)
    .uid(dashboardUids[uid])
    .description(description)
    .tags([tag, 'veeam', 'restore'])
    .readonly()
    .tooltip(DashboardCursorSync.Crosshair)
    .time({ from, to: 'now' })
    .refresh('1m')
    .variables([...variables])
    .annotations([...annotations])
    .link(toTheOthers());
  for (const row of rows) {
    if (row.title !== undefined) builder.withRow(new RowBuilder(row.title));
    for (const panel of row.panels) builder.withPanel(panel);
  }
  return numbered(builder.build());
}

const toTheOthers = (): DashboardLinkBuilder =>
  new DashboardLinkBuilder('VB365')
    .type(DashboardLinkType.Dashboards)
    .tags([tag])
    .includeVars(true)
    .keepTime(true)
    .tooltip('The other dashboards of vb365-exporter');

/** Gives each panel an id and each query a letter; the SDK's builders do not. */
function numbered(dashboard: Dashboard): Dashboard {
  const panels = dashboard.panels?.map((panel, index) => ({ ...lettered(panel), id: index + 1 }));
  return panels === undefined ? dashboard : { ...dashboard, panels };
}

function lettered<P extends Panel | RowPanel>(panel: P): P {
  if (!('targets' in panel) || panel.targets === undefined) return panel;
  return { ...panel, targets: panel.targets.map((query, index) => ({ ...query, refId: letters.charAt(index) })) };
}

const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ';

/** Marks when an alert fired. */
export const firingAlerts = (enabled: boolean): Builder<AnnotationQuery> =>
  new AnnotationQueryBuilder()
    .name('Firing alerts')
    .datasource(chosen('prometheus'))
    .enable(enabled)
    .iconColor('red')
    .expr('ALERTS{alertname=~"VB365.*",alertstate="firing"}')
    .step('60s')
    .titleFormat('{{alertname}}')
    .textFormat('{{server}} {{organization}}');

/** Marks when an exporter started. */
export const restarts = (): Builder<AnnotationQuery> =>
  new AnnotationQueryBuilder()
    .name('Exporter starts')
    .datasource(chosen('prometheus'))
    .enable(true)
    .iconColor('blue')
    .expr('changes(process_start_time_seconds{job=~"$job",instance=~"$instance"}[2m]) > 0')
    .step('60s')
    .titleFormat('Exporter started')
    .textFormat('{{instance}}');
