import { expect, test } from '@jest/globals';
import { countedFailures } from '../../dashboards/src/grafana/log-query.js';
import { loki } from '../../dashboards/src/grafana/logql.js';
import { victoriaLogs } from '../../dashboards/src/grafana/logsql.js';
import type { ItemType } from '../../src/model/event.js';
import { linesOf } from './logql-evaluator.js';

const line = (severity_text: string, type?: string) => ({
  at: '0',
  text: `${severity_text} ${type ?? 'session'}`,
  labels: {
    service_name: 'vb365-exporter',
    severity_text,
    ...(type === undefined ? {} : { veeam_restore_event_type: type }),
  },
});
const types = ['None', 'View', 'Save', 'Export', 'Send', 'Restore', 'Clone'];
const lines = [line('ERROR'), line('INFO'), ...types.flatMap(type => [line('ERROR', type), line('WARN', type)])];

const asked = (of: readonly ItemType[]) => ({ show: 'newest', records: countedFailures(of), limit: 9 }) as const;
const exprOf = (query: object): string => ('expr' in query ? String(query.expr) : '');

test.each<[of: readonly ItemType[], items: readonly string[], logsql: string]>([
  [['View', 'Restore', 'Save', 'Export', 'Send', 'other'], types.slice(1), ''],
  [['Restore', 'Save', 'Export', 'Send', 'other'], types.slice(2), ' !"veeam.restore.event.type":="View"'],
  [['Restore', 'Export'], ['Export', 'Restore'], ' "veeam.restore.event.type":in("", "None", "Restore", "Export")'],
])('panels of log records count failures of %p', (of, items, logsql) => {
  const found = linesOf(exprOf(loki.query(asked(of)).build()), lines).map(({ text }) => text);
  expect(found).toEqual(['session', 'None', ...items].map(type => `ERROR ${type}`));
  expect(exprOf(victoriaLogs.query(asked(of)).build())).toContain(`"severity_text":in("ERROR")${logsql} |`);
});
