import { type Board, type BoardPanel, panelsOf, type Target, type Variable } from './boards.js';
import { logql, promql, selectorsOf } from './languages.js';
import { units } from './units.js';

/** Something a rule of Grafana's dashboard-linter finds fault with. */
export type Finding = Readonly<{ rule: string; dashboard: string; panel?: string; what: string }>;

type OfBoard = (board: Board) => readonly string[];
type OfPanel = (panel: BoardPanel, board: Board) => readonly string[];
type OfTarget = (target: Target, panel: BoardPanel, board: Board) => readonly string[];

const when = (wrong: boolean, what: string): readonly string[] => (wrong ? [what] : []);

/** Kinds of panels that rules about panels look at. */
const drawn = ['stat', 'singlestat', 'graph', 'timetable', 'timeseries', 'gauge', 'table'];

const sources = ({ templating }: Board): readonly Variable[] =>
  templating.list.filter(({ type }) => type === 'datasource');

/** `prometheus` -> `Prometheus`. */
const titled = (word = ''): string => `${word.charAt(0).toUpperCase()}${word.slice(1)}`;

/** A variable that has to be there, as the linter wants it. */
function template({ templating }: Board, name: string): readonly string[] {
  const found = templating.list.find(one => one.name === name);
  if (found === undefined) return [`has no variable ${name}`];
  const { type, datasource, label, multi, allValue } = found;
  const allowed = ['datasource', 'prometheus_datasource'].flatMap(one => [`$${one}`, `\${${one}}`]);
  return [
    ...when(!allowed.includes(datasource?.uid ?? ''), `${name} asks ${String(datasource?.uid)}`),
    ...when(type !== 'query', `${name} is no query`),
    ...when(label !== titled(name), `${name} is labelled ${String(label)}`),
    ...when(multi !== true, `${name} is no multi select`),
    ...when(allValue !== '.+', `${name} has ${String(allValue)} for all`),
  ];
}

const boardRules: Readonly<Record<string, OfBoard>> = {
  'template-datasource-rule': board => {
    const list = sources(board);
    if (list.length === 0) return ['has no data source variable'];
    return list.flatMap(({ name, label, query }) => {
      const only = list.length === 1;
      const nameFits = name === `${String(query)}_datasource` || (only && name === 'datasource');
      const labelFits = label === `${titled(query)} data source` || (only && label === 'Data source');
      return when(!nameFits || !labelFits, `${name} (${String(label)})`);
    });
  },
  'template-job-rule': board => template(board, 'job'),
  'template-instance-rule': board => template(board, 'instance'),
  'template-label-promql-rule': ({ templating }) =>
    templating.list
      .filter(({ type }) => type === 'query')
      .flatMap(({ name, query = '' }) => {
        const [, call = '', inside = ''] = /^([a-z_]+)\((.+)\)$/.exec(query) ?? [];
        const selector = inside.replace(/,\s*\w+$/, '');
        const known = ['label_names', 'label_values', 'metrics', 'query_result'].includes(call);
        return when(!known || !promql(selector).valid, `${name}: ${query}`);
      }),
  'template-on-time-change-reload-rule': ({ templating }) =>
    templating.list
      .filter(({ type, refresh }) => type === 'query' && refresh !== 2)
      .map(({ name }) => `${name} is not read again`),
  'uneditable-dashboard': ({ editable }) => when(editable, 'can be edited'),
};

const panelRules: Readonly<Record<string, OfPanel>> = {
  'panel-datasource-rule': ({ datasource }, board) => {
    const allowed = sources(board).flatMap(({ name }) => [`$${name}`, `\${${name}}`]);
    return when(!allowed.includes(datasource?.uid ?? ''), `asks ${String(datasource?.uid)}`);
  },
  'panel-title-description-rule': ({ title, description = '' }) =>
    when(title === '' || description === '', 'has no title or description'),
  'panel-units-rule': ({ fieldConfig }) => {
    const { unit = '', mappings = [] } = fieldConfig?.defaults ?? {};
    return when(!units.includes(unit) && mappings.length === 0, `unit "${unit}"`);
  },
  'panel-no-targets-rule': ({ targets = [] }) => when(targets.length === 0, 'asks nothing'),
};

/** The selectors of a valid PromQL query that lack `label=~"$label"`. */
const lacking = (query: string, label: string): readonly string[] =>
  promql(query).valid
    ? selectorsOf(query)
        .filter(
          ({ matchers }) =>
            !matchers.some(([name, is, value]) => name === label && is === '=~' && value === `$${label}`),
        )
        .map(({ metric }) => `${metric} without ${label}`)
    : [];

const isLoki = ({ datasource }: Target): boolean => datasource.type === 'loki';

const targetRules: Readonly<Record<string, OfTarget>> = {
  'target-promql-rule': ({ expr = '' }) => when(!promql(expr).valid, expr),
  'target-logql-rule': target => when(isLoki(target) && !logql(target.expr ?? '').valid, String(target.expr)),
  'target-logql-auto-rule': target =>
    isLoki(target)
      ? logql(target.expr ?? '')
          .all('Range')
          .filter(({ text }) => text !== '[9m]')
          .map(({ text }) => `${text} instead of $__auto`)
      : [],
  'target-rate-interval-rule': ({ expr = '' }) =>
    promql(expr)
      .all('FunctionCall')
      .filter(({ text }) => /^i?rate\(/.test(text) && !text.includes('[7m]'))
      .map(({ text }) => `${text} without $__rate_interval`),
  'target-job-rule': ({ expr = '' }) => lacking(expr, 'job'),
  'target-instance-rule': ({ expr = '' }) => lacking(expr, 'instance'),
  'target-counter-agg-rule': ({ expr = '' }) =>
    (promql(expr).valid ? promql(expr).all('VectorSelector') : [])
      .filter(({ text }) => /^\w+_total\b/.test(text))
      .filter(({ node }) => !/^(rate|irate|increase)$/.test(callAround(node, expr)))
      .map(({ text }) => `${text} is not aggregated`),
};

/** The function that a range of the selector is handed to; `''` when it has no range. */
function callAround(selector: ReturnType<typeof selectorsOf>[number]['node'], expr: string): string {
  let node = selector.parent;
  if (node?.name !== 'MatrixSelector') return '';
  while (node !== null && node.name !== 'FunctionCall') node = node.parent;
  const text = promql(expr)
    .all('FunctionCall')
    .find(one => one.node.from === node?.from && one.node.to === node.to)?.text;
  return /^\w+/.exec(text ?? '')?.[0] ?? '';
}

export const ruleNames = [boardRules, panelRules, targetRules].flatMap(rules => Object.keys(rules));

/** Everything that the rules find fault with, exceptions not counted. */
export function lint(board: Board): readonly Finding[] {
  const dashboard = board.title;
  const ofBoard = Object.entries(boardRules).flatMap(([rule, check]) =>
    check(board).map(what => ({ rule, dashboard, what })),
  );
  const ofPanels = panelsOf(board).flatMap(panel => {
    const { title } = panel;
    const about = Object.entries(panelRules).flatMap(([rule, check]) =>
      drawn.includes(panel.type) ? check(panel, board).map(what => ({ rule, what })) : [],
    );
    const asked = (panel.targets ?? []).flatMap(target =>
      Object.entries(targetRules).flatMap(([rule, check]) => check(target, panel, board).map(what => ({ rule, what }))),
    );
    return [...about, ...asked].map(finding => ({ ...finding, dashboard, panel: title }));
  });
  return [...ofBoard, ...ofPanels];
}
