import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboardUids } from '../rule.js';
import { generatedYaml } from '../rule-files.js';

/** An exception for Grafana's dashboard-linter: titles of the dashboard and the panel. */
type Entry = Readonly<{ dashboard: string; panel?: string; reason: string }>;

const reasons = {
  instance:
    'The series belong to a VB365 server; the instance is the process that reads it now and changes with each pod.',
  alerts: 'An alert about an exporter that is absent has no job.',
  volume: 'The kubelet reports volume usage; its job name is unknown.',
  otherLanguage: 'The query is LogQL or a trace id; the linter parses it as PromQL.',
} as const;

const source = (panel: Panel | RowPanel): string | undefined => panel.datasource?.type;
const isAboutProcesses = ({ uid }: Dashboard): boolean => uid === dashboardUids.exporter;

/** The `.lint` file next to the dashboards. */
export function lintExceptions(dashboards: readonly Dashboard[]): string {
  const panels = dashboards.flatMap(dashboard =>
    (dashboard.panels ?? []).map(panel => ({ dashboard, panel, entry: entryOf(dashboard, panel) })),
  );
  const restores = panels.filter(
    ({ dashboard, panel }) => !isAboutProcesses(dashboard) && source(panel) === 'prometheus',
  );
  const foreign = panels.filter(({ panel }) => source(panel) === 'loki' || source(panel) === 'tempo');
  const asking = (what: string) => panels.filter(({ panel }) => JSON.stringify(panel).includes(what));
  const volumes = asking('kubelet_volume_stats');
  return generatedYaml({
    exclusions: {
      'template-instance-rule': {
        entries: dashboards
          .filter(one => !isAboutProcesses(one))
          .map(({ title = '' }): Entry => ({ dashboard: title, reason: reasons.instance })),
      },
      'target-instance-rule': {
        entries: [
          ...restores.map(({ entry }) => ({ ...entry, reason: reasons.instance })),
          ...volumes.map(({ entry }) => ({ ...entry, reason: reasons.volume })),
        ],
      },
      'target-job-rule': {
        entries: [
          ...asking('(ALERTS{').map(({ entry }) => ({ ...entry, reason: reasons.alerts })),
          ...volumes.map(({ entry }) => ({ ...entry, reason: reasons.volume })),
        ],
      },
      'target-promql-rule': { entries: foreign.map(({ entry }) => ({ ...entry, reason: reasons.otherLanguage })) },
    },
  });
}

const entryOf = ({ title: dashboard = '' }: Dashboard, { title: panel = '' }: Panel | RowPanel) => ({
  dashboard,
  panel,
});
