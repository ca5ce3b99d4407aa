import type { Dashboard } from '@grafana/grafana-foundation-sdk/dashboard';
import type { GeneratedFile } from '../rule-files.js';
import { exporterBoard } from './exporter.js';
import { fleet } from './fleet.js';
import { importable } from './importable.js';
import { lintExceptions } from './lint-exceptions.js';
import type { LogStore } from './log-store.js';
import { loki } from './logql.js';
import { victoriaLogs } from './logsql.js';
import { organizationBoard } from './organization.js';
import { sessionBoard } from './session.js';

/** The dashboards with log panels, for users of a log store. */
const ofStore = (store: LogStore): readonly Dashboard[] => [
  fleet(store),
  organizationBoard(store),
  sessionBoard(store),
];

const json = (value: unknown): string => `${JSON.stringify(value, null, 2)}\n`;

const fileOf = (folder: string, one: Dashboard, text = json(one)): GeneratedFile => ({
  path: `${folder}/${String(one.uid)}.json`,
  text,
});

/**
 * The dashboards: all for Loki, in a second form for import with its inputs, and those with log panels for VictoriaLogs. With
 * the linter's exceptions.
 */
export function dashboardFiles(): readonly GeneratedFile[] {
  const all = [...ofStore(loki), exporterBoard()];
  return [
    ...all.map(one => fileOf(loki.folder, one)),
    ...all.map(one => fileOf(`${loki.folder}-import`, one, json(importable(one)))),
    ...ofStore(victoriaLogs).map(one => fileOf(victoriaLogs.folder, one)),
    { path: `${loki.folder}/.lint`, text: lintExceptions(all) },
  ];
}
