import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import type { GeneratedFile } from '../rule-files.js';
import { exporterBoard } from './exporter.js';
import { fleet } from './fleet.js';
import { importable } from './importable.js';
import { lintExceptions } from './lint-exceptions.js';
import { organizationBoard } from './organization.js';
import { sessionBoard } from './session.js';

export const dashboards = (): readonly Dashboard[] => [fleet(), organizationBoard(), sessionBoard(), exporterBoard()];

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

/** The dashboards for provisioning and for import through the UI, and the linter's exceptions. */
export function dashboardFiles(): readonly GeneratedFile[] {
  const made = dashboards();
  return [
    ...made.map(one => ({ path: `dashboards/grafana/${String(one.uid)}.json`, text: json(one) })),
    ...made.map(one => ({ path: `dashboards/grafana-import/${String(one.uid)}.json`, text: json(importable(one)) })),
    { path: 'dashboards/grafana/.lint', text: lintExceptions(made) },
  ];
}
