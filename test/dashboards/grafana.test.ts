import { describe, expect, test } from '@jest/globals';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { alerts } from '../../dashboards/src/rule-files.js';
import { annotationsOf } from '../../dashboards/src/rule.js';
import { dashboardFiles } from '../../dashboards/src/grafana/dashboard-files.js';
import {
  type Board,
  type BoardPanel,
  boardFiles,
  boards,
  folder,
  panelsOf,
  readBoard,
  targetsOf,
  victoriaLogsFolder,
} from './boards.js';
import { familyOf, ofTheScrape } from './families.js';
import { logql, promql, selectorsOf } from './languages.js';

const named = boards.map(board => [board.title, board] as const);
const panels = boards.flatMap(board => panelsOf(board).map(panel => [board.title, panel.title, panel, board] as const));
const duplicates = (list: readonly unknown[]): readonly unknown[] =>
  list.filter((one, index) => list.indexOf(one) !== index);

describe('the dashboards', () => {
  test('are four, each with its own uid', () => {
    expect(boards.map(({ uid }) => uid).toSorted()).toEqual([
      'vb365-exporter',
      'vb365-fleet',
      'vb365-organization',
      'vb365-session',
    ]);
    expect(boardFiles.toSorted()).toEqual(boards.map(({ uid }) => `${uid}.json`).toSorted());
  });

  test.each(named)('%s is Classic JSON of schema 42, read-only, and links to the others', (_, board) => {
    expect(board).toMatchObject({ schemaVersion: 42, editable: false });
    const [link] = board.links;
    expect(link).toMatchObject({ type: 'dashboards', includeVars: true, keepTime: true });
    expect(board.tags).toEqual(expect.arrayContaining(link?.tags ?? ['none']));
  });

  test.each(boardFiles)('%s is small enough for a ConfigMap with room to spare', name => {
    expect(statSync(`${folder}/${name}`).size).toBeLessThan(200_000);
  });

  test.each(named)('%s has unique panel ids, titles and refIds', (_, board) => {
    expect(duplicates(board.panels.map(({ id }) => id))).toEqual([]);
    expect(board.panels.every(({ id }) => id > 0)).toBe(true);
    expect(duplicates(board.panels.map(({ title }) => title))).toEqual([]);
    for (const { targets = [] } of board.panels) expect(duplicates(targets.map(({ refId }) => refId))).toEqual([]);
  });

  test.each(named)('%s has no panel over another, none outside of the grid, and no line with a gap', (_, board) => {
    const taken = new Set<string>();
    for (const { gridPos } of board.panels)
      for (let x = gridPos.x; x < gridPos.x + gridPos.w; x += 1)
        for (let y = gridPos.y; y < gridPos.y + gridPos.h; y += 1) {
          expect(taken.has(`${String(x)} ${String(y)}`)).toBe(false);
          expect(x).toBeLessThan(24);
          taken.add(`${String(x)} ${String(y)}`);
        }
    const height = Math.max(...board.panels.map(({ gridPos }) => gridPos.y + gridPos.h));
    expect(taken.size).toBe(24 * height);
  });

  test.each(panels)(
    '%s: %s says what it shows, in which unit, and what it means that there is nothing',
    (_, __, panel) => {
      expect(panel.description).toMatch(/^[A-Z].*[.)]$/);
      expect(panel.title).toMatch(/^[A-Z]/);
      const { unit = '', noValue = '' } = panel.fieldConfig?.defaults ?? {};
      expect(unit).not.toBe('');
      expect(noValue).toMatch(/^[A-Z]/);
      expect(panel.datasource?.uid).toBe(`\${${String(panel.datasource?.type)}_datasource}`);
    },
  );

  test.each(panels)('%s: %s counts in whole numbers', (_, __, { targets = [], type, fieldConfig }) => {
    for (const { expr = '', datasource } of targets) {
      if (datasource.type !== 'prometheus' || !expr.includes('increase(')) continue;
      const raw = expr.replaceAll(/histogram_quantile\(.*/g, '').replaceAll(/round\(increase\(/g, '');
      expect(raw).not.toContain('increase(');
    }
    const counts = ['short', 'locale'].includes(fieldConfig?.defaults.unit ?? '');
    const measures = targets.some(({ expr = '' }) => expr.includes('scrape_samples_scraped'));
    if (counts && !measures) expect({ type, ...fieldConfig?.defaults }).toMatchObject({ decimals: 0 });
  });
});

describe('the panels with metrics', () => {
  const asked = boards.flatMap(board =>
    targetsOf(board, 'prometheus').map(({ panel, expr, target }) => [board.title, panel.title, expr, target] as const),
  );

  test.each(asked)('%s: %s asks for metrics and labels of the catalogue', (_, __, expr, { legendFormat = '' }) => {
    const selectors = selectorsOf(expr);
    expect(selectors).not.toEqual([]);
    for (const { metric, matchers } of selectors) {
      const family = familyOf(metric);
      expect([metric, family]).not.toEqual([metric, undefined]);
      for (const [label, operator, value] of matchers) {
        expect([...(family?.labels ?? []), ...ofTheScrape]).toContain(label);
        const known = family?.known[label];
        if (known !== undefined && !operator.includes('~')) expect(known).toContain(value);
      }
    }
    const labels = [...selectors.flatMap(({ metric }) => familyOf(metric)?.labels ?? []), ...ofTheScrape];
    const grouped = promql(expr)
      .all('LabelName')
      .filter(({ within }) => within.includes('GroupingLabels'))
      .map(({ text }) => text);
    expect(labels).toEqual(expect.arrayContaining(grouped));
    const shown = [...legendFormat.matchAll(/\{\{(\w+)\}\}/g)].map(([, label = '']) => label);
    expect([...grouped, ...(grouped.length === 0 ? ofTheScrape : [])]).toEqual(expect.arrayContaining(shown));
  });

  test('most panels need neither Loki nor Tempo', () => {
    const share = panels.filter(([, , { datasource }]) => datasource?.type === 'prometheus').length / panels.length;
    expect(share).toBeGreaterThan(0.6);
  });

  const withMetrics = named.filter(([, { uid }]) => uid !== 'vb365-session');

  test.each(withMetrics)('%s has the panels that need Loki below a heading that says so', (_, board) => {
    let heading = '';
    for (const { type, title, datasource } of board.panels) {
      if (type === 'row') heading = title;
      else if (datasource?.type !== 'prometheus') expect(heading).toContain('(needs Loki)');
    }
  });
});

/** The columns of a table, by the name people see. */
const columnsOf = ({ transformations = [] }: BoardPanel): Readonly<Record<string, string>> =>
  (transformations.find(({ id }) => id === 'organize')?.options['renameByName'] ?? {}) as Record<string, string>;

/** Every URL of a panel: of all values, or of a column. */
const urlsOf = ({ fieldConfig }: BoardPanel): readonly string[] => [
  ...(fieldConfig?.defaults.links ?? []).map(({ url }) => url),
  ...(fieldConfig?.overrides ?? []).flatMap(({ properties }) =>
    properties
      .filter(({ id }) => id === 'links')
      .flatMap(({ value }) => (value as { url: string }[]).map(({ url }) => url)),
  ),
];

const variablesOf = (board: Board | undefined): readonly string[] =>
  (board?.templating.list ?? []).map(({ name }) => name);

const linked = panels.flatMap(([title, name, panel, board]) =>
  urlsOf(panel).map(url => [`${title}: ${name}`, url, panel, board] as const),
);

describe('links', () => {
  test('there are some', () => {
    expect(linked.length).toBeGreaterThan(5);
  });

  test.each(linked)('%s leads somewhere: %s', (_, url, panel, board) => {
    const [, uid = '', query = ''] = /^\/d\/([\w-]+)\?(.*)$/.exec(url) ?? [];
    const target = boards.find(one => one.uid === uid);
    expect(variablesOf(target)).toEqual(
      expect.arrayContaining([...query.matchAll(/var-(\w+)=/g)].map(([, name = '']) => name)),
    );
    const passed = [...query.matchAll(/\$\{(\w+):queryparam\}/g)].map(([, name = '']) => name);
    expect(variablesOf(board)).toEqual(expect.arrayContaining(passed));
    expect(variablesOf(target)).toEqual(expect.arrayContaining(passed.filter(name => name !== 'loki_datasource')));
    const cells = [...query.matchAll(/__data\.fields\["([^"]+)"\]/g)].map(([, name = '']) => name);
    expect(Object.values(columnsOf(panel))).toEqual(expect.arrayContaining(cells));
  });

  test.each(alerts.map(alert => [alert.name, alert] as const))('%s leads to a dashboard that is there', (_, alert) => {
    const url = annotationsOf(alert)['dashboard_url'] ?? '';
    const target = boards.find(({ uid }) => url.includes(`/d/${uid}`));
    expect(target).toBeDefined();
    expect(variablesOf(target)).toEqual(
      expect.arrayContaining([...url.matchAll(/var-(\w+)=/g)].map(([, name = '']) => name)),
    );
  });
});

describe('tables', () => {
  const tables = panels.filter(([, , { type }]) => type === 'table');

  test.each(tables)('%s: %s sets up only columns that it has', (_, __, panel) => {
    const columns = Object.values(columnsOf(panel));
    const set = (panel.fieldConfig?.overrides ?? [])
      .filter(({ matcher }) => matcher.id === 'byName')
      .map(({ matcher }) => matcher.options);
    expect(columns).toEqual(expect.arrayContaining(set));
    for (const letter of Object.keys(columnsOf(panel)).flatMap(name => /^Value #(\w)$/.exec(name)?.[1] ?? []))
      expect((panel.targets ?? []).map(({ refId }) => refId)).toContain(letter);
  });
});

describe('variables', () => {
  test.each(named)('%s uses each of them, and no other', (_, board) => {
    const text = JSON.stringify({ ...board, templating: undefined });
    const used = [...text.matchAll(/\$\{?([a-z]\w*)/g)]
      .map(([, name = '']) => name)
      .filter(name => !name.startsWith('__'));
    const queries = board.templating.list.map(({ query = '' }) => query).join(' ');
    for (const name of variablesOf(board)) expect(text.includes(name) || queries.includes(`$${name}`)).toBe(true);
    expect(variablesOf(board)).toEqual(expect.arrayContaining([...new Set(used)]));
  });
});

describe('the panels with log records', () => {
  /** Attributes as Loki names them, from the document that is made from the tables of attributes. */
  const attributes = [...readFileSync('docs/LOGS.md', 'utf8').matchAll(/^- `([\w.]+)` \(/gm)].map(([, name = '']) =>
    name.replaceAll('.', '_'),
  );
  const ofLoki = ['service_name', 'service_instance_id', 'severity_text', 'trace_id'];
  const known = [...attributes, ...ofLoki];
  const asked = boards.flatMap(board =>
    targetsOf(board, 'loki').map(({ panel, expr }) => [board.title, panel.title, expr, panel] as const),
  );

  test.each(asked)('%s: %s asks for attributes that records have', (_, __, expr, panel) => {
    const parsed = logql(expr);
    const made = parsed
      .all('Identifier')
      .filter(({ within }) => within.includes('LabelFormatMatcher'))
      .map(({ text }) => text);
    const used = parsed.all('Identifier').map(({ text }) => text);
    expect(used.length).toBeGreaterThan(2);
    expect([...known, ...made]).toEqual(expect.arrayContaining(used));
    expect([...known, 'Time']).toEqual(expect.arrayContaining(Object.keys(columnsOf(panel))));
  });
});

describe('the build for import', () => {
  test.each(boardFiles)('%s asks for each data source, and says which panels it needs', name => {
    const made = readBoard(name, 'dashboards/grafana-import') as Board & {
      __inputs: { name: string; pluginId: string }[];
      __requires: { type: string; id: string }[];
    };
    const asked = made['__inputs'].map(({ name: input, pluginId }) => ({ input, pluginId }));
    const sources = made.templating.list.filter(({ type }) => type === 'datasource');
    expect(sources).toMatchObject(
      asked.map(({ input, pluginId }) => ({ query: pluginId, current: { value: `\${${input}}` } })),
    );
    const required = made['__requires'].filter(({ type }) => type === 'panel').map(({ id }) => id);
    expect(required).toEqual([...new Set(panelsOf(made).map(({ type }) => type))].toSorted());
    const rest = { ...made, __inputs: undefined, __requires: undefined, templating: undefined };
    expect(rest).toEqual({ ...readBoard(name), __inputs: undefined, __requires: undefined, templating: undefined });
  });
});

describe('the files', () => {
  test.each(dashboardFiles())('$path is what the code says', ({ path, text }) => {
    expect(readFileSync(path, 'utf8')).toBe(text);
  });

  test('there are no others', () => {
    const made = dashboardFiles().map(({ path }) => path);
    for (const place of [folder, 'dashboards/grafana-import', victoriaLogsFolder])
      for (const name of readdirSync(place).filter(one => one.endsWith('.json')))
        expect(made).toContain(`${place}/${name}`);
  });
});
