import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { type Board, boards, panelsOf, targetsOf, victoriaLogsBoards } from './boards.js';

const source = 'victoriametrics-logs-datasource';
const attributes = [...readFileSync('docs/LOGS.md', 'utf8').matchAll(/^- `([\w.]+)` \(/gm)].map(
  ([, name = '']) => name,
);
const known = [...attributes, 'service.name', 'service.instance.id', 'severity_text', 'initiator', 'value', 'records'];

const asked = victoriaLogsBoards.flatMap(board =>
  targetsOf(board, source).map(({ panel, expr, target }) => [board.title, panel.title, expr, target] as const),
);

/** What both builds must have in common: everything but what depends on the log store. */
const shape = (board: Board) =>
  board.panels.map(({ id, type, title, gridPos, fieldConfig }) => ({
    id,
    type,
    title: title.replace('VictoriaLogs', 'Loki'),
    gridPos,
    unit: fieldConfig?.defaults.unit,
  }));

describe('the dashboards for VictoriaLogs', () => {
  test('are those with log panels', () => {
    const withLogs = boards.filter(board => targetsOf(board, 'loki').length > 0);
    expect(victoriaLogsBoards.map(({ uid }) => uid)).toEqual(withLogs.map(({ uid }) => uid));
  });

  test.each(victoriaLogsBoards.map(board => [board.title, board] as const))(
    '%s has the panels and the places of the build for Loki',
    (_, board) => {
      const other = boards.find(({ uid }) => uid === board.uid);
      expect(shape(board)).toEqual(other === undefined ? [] : shape(other));
    },
  );

  test('ask neither Loki nor Tempo', () => {
    for (const board of victoriaLogsBoards) {
      const text = JSON.stringify(board);
      expect(text).not.toMatch(/loki|tempo/i);
      const types = panelsOf(board).flatMap(({ datasource }) => datasource?.type ?? []);
      expect(['prometheus', source, 'jaeger']).toEqual(expect.arrayContaining(types));
      const variables = board.templating.list.map(({ name }) => name);
      const used = panelsOf(board).map(({ datasource }) => datasource?.uid.replaceAll(/[${}]/g, ''));
      expect(variables).toEqual(expect.arrayContaining(used));
    }
  });

  test('have as many queries as those for Loki', () => {
    expect(asked).toHaveLength(boards.flatMap(board => targetsOf(board, 'loki')).length);
    expect(asked.length).toBeGreaterThan(15);
  });

  test.each(asked)('%s: %s asks for attributes that records have', (_, __, expr) => {
    const fields = [...expr.matchAll(/"([a-z][\w.]+)"(?=:|\))/g)].map(([, name = '']) => name);
    const values = [...expr.matchAll(/:=?"([^"]*)"|in\(([^)]*)\)/g)].flatMap(([, one, list = '']) => [
      one,
      ...list.split(', ').map(text => text.replaceAll('"', '')),
    ]);
    expect(fields.length).toBeGreaterThan(1);
    expect([...known, ...values]).toEqual(expect.arrayContaining(fields));
  });

  // The data source leaves out the time range of the dashboard when it finds one before the first pipe.
  test.each(asked)('%s: %s leaves the time range to the data source', (_, __, expr) => {
    expect(expr.split('|')[0]).toBe('{service.name="vb365-exporter"} ');
  });

  test.each(asked)('%s: %s is sent to the endpoint for what it asks', (_, __, expr, { queryType }) => {
    const wanted = expr.includes('| stats ') ? ['stats', 'statsRange'] : ['instant'];
    expect(wanted).toContain(queryType);
  });
});
