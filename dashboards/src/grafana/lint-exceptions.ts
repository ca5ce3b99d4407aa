import type { Dashboard, Panel, RowPanel } from '@grafana/grafana-foundation-sdk/dashboard';
import { dashboardUids } from '../rule.js';
import { generatedYaml } from '../rule-files.js';

/** What Grafana's dashboard-linter is to let pass: entries name a dashboard by its title, and a panel of it. */
type Entry = Readonly<{ dashboard: string; panel?: string; reason: string }>;

const reasons = {
  instance:
    'The series are those of a VB365 server; the instance is whichever process reads it now, and changes with each pod.',
  alerts: 'An alert about an exporter that is absent has no job.',
  volume: 'How full a volume is, the kubelet says; its job is another, and it cannot be known.',
  otherLanguage: 'The query is LogQL or the id of a trace; the linter takes it for PromQL.',
} as const;

const source = (panel: Panel | RowPanel): string | undefined => panel.datasource?.type;
const isAboutProcesses = ({ uid }: Dashboard): boolean => uid === dashboardUids.exporter;

/** The `.lint` file beside the dashboards. */
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
