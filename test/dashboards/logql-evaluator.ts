import { parser } from '@grafana/lezer-logql';
import type { Line } from '../support/loki-receiver.js';
import { templated } from './logql-templates.js';

type Node = ReturnType<typeof parser.parse>['topNode'];
type Labels = Readonly<Record<string, string>>;
type Stage = (line: Line) => Line | undefined;

/** The value of each group at one time. */
type Vector = readonly Readonly<{ labels: Labels; value: number }>[];

/** Lines to ask about, and the time of the question in seconds. */
export type Moment = Readonly<{ lines: readonly Line[]; at: number }>;

/**
 * The part of LogQL that dashboards and rules use, over lines in memory: the tests have no Loki. A query is parsed with
 * Grafana's grammar; a node that is not known here is an error, never ignored.
 */
export function linesOf(query: string, lines: readonly Line[]): readonly Line[] {
  const { root, text } = parsed(query);
  return piped(root, text)(lines);
}

/** A metric query at one time. */
export function vectorOf(query: string, moment: Moment): Vector {
  const { root, text } = parsed(query);
  return metric(root, text, moment);
}

type Source = (node: Node) => string;

function parsed(query: string): Readonly<{ root: Node; text: Source }> {
  const tree = parser.parse(query);
  tree.iterate({
    enter: ({ type, from }) => {
      if (type.isError) throw new Error(`Could not parse LogQL at ${String(from)}: ${query}`);
    },
  });
  return { root: tree.topNode, text: ({ from, to }) => query.slice(from, to) };
}

function children(node: Node): readonly Node[] {
  const list: Node[] = [];
  for (let child = node.firstChild; child !== null; child = child.nextSibling) list.push(child);
  return list;
}

const child = (node: Node, ...names: readonly string[]): Node | undefined =>
  children(node).find(({ name }) => names.includes(name));

function need(node: Node, ...names: readonly string[]): Node {
  const found = child(node, ...names);
  if (found === undefined) throw new Error(`${node.name} has no ${names.join(' or ')}`);
  return found;
}

/** Every node of that name below, the outermost ones first. */
const below = (node: Node, name: string): readonly Node[] =>
  children(node).flatMap(one => (one.name === name ? [one, ...below(one, name)] : below(one, name)));

/** A string in double quotes or backticks. */
function unquoted(text: string): string {
  return text.startsWith('`') ? text.slice(1, -1) : String(JSON.parse(text));
}

/** Go's regular expressions, anchored as Loki anchors them. */
function anchored(pattern: string): RegExp {
  const [, flags = '', rest = ''] = /^(?:\(\?([is]+)\))?([^]*)$/.exec(pattern) ?? [];
  return new RegExp(`^(?:${rest})$`, flags);
}

function matches(node: Node, text: Source): (labels: Labels) => boolean {
  const [name, operator, value] = children(node);
  if (name === undefined || operator === undefined || value === undefined) throw new Error('Not a matcher');
  const label = text(name);
  const wanted = unquoted(text(value));
  const pattern = ['Re', 'Nre'].includes(operator.name) ? anchored(wanted) : undefined;
  const isNegated = ['Neq', 'Nre'].includes(operator.name);
  return labels => {
    const held = labels[label] ?? '';
    return (pattern === undefined ? held === wanted : pattern.test(held)) !== isNegated;
  };
}

function labelFilter(node: Node, text: Source): (labels: Labels) => boolean {
  const matcher = child(node, 'Matcher');
  if (matcher !== undefined) return matches(matcher, text);
  need(node, 'Or');
  const sides = children(node).filter(({ name }) => name === 'LabelFilter');
  const tests = sides.map(side => labelFilter(side, text));
  return labels => tests.some(test => test(labels));
}

function labelFormat(node: Node, text: Source): Stage {
  const formats = below(node, 'LabelFormatMatcher').map(
    one => [text(need(one, 'Identifier')), templated(unquoted(text(need(one, 'String'))))] as const,
  );
  return line => ({
    ...line,
    labels: { ...line.labels, ...Object.fromEntries(formats.map(([name, format]) => [name, format(line)])) },
  });
}

function stage(node: Node, text: Source): Stage {
  const format = child(node, 'LabelFormatExpr');
  if (format !== undefined) return labelFormat(format, text);
  const test = labelFilter(need(node, 'LabelFilter'), text);
  return line => (test(line.labels) ? line : undefined);
}

/** A selector with its pipeline. */
function piped(node: Node, text: Source): (lines: readonly Line[]) => readonly Line[] {
  const selector = below(node, 'Selector')[0];
  if (selector === undefined) throw new Error('The query has no selector');
  const tests = below(selector, 'Matcher').map(one => matches(one, text));
  const stages = below(node, 'PipelineStage')
    .toSorted((a, b) => a.from - b.from)
    .map(one => stage(one, text));
  return lines =>
    lines
      .filter(({ labels }) => tests.every(test => test(labels)))
      .flatMap(line => stages.reduce<Line | undefined>((kept, next) => kept && next(kept), line) ?? []);
}

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);

/** Between the two values around it, as Prometheus and Loki compute it. */
function quantile(q: number, values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const rank = q * (sorted.length - 1);
  const [low = 0, high = low] = [sorted[Math.floor(rank)], sorted[Math.ceil(rank)]];
  return low + (high - low) * (rank - Math.floor(rank));
}

const unitSeconds: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600, d: 86_400 };

function secondsOf(duration: string): number {
  const [, count = '', unit = ''] = /^(\d+)([smhd])$/.exec(duration) ?? [];
  return Number(count) * (unitSeconds[unit] ?? Number.NaN);
}

/** A group of lines with the values that it is aggregated from. */
type Group = { labels: Labels; values: number[] };

function byLabels<T>(list: readonly T[], labelsOf: (one: T) => Labels, valueOf: (one: T) => number): readonly Group[] {
  const groups = new Map<string, Group>();
  for (const one of list) {
    const labels = labelsOf(one);
    const key = JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));
    const group = groups.get(key) ?? { labels, values: [] };
    group.values.push(valueOf(one));
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** The labels that are kept; undefined without `by`: all for a range, none for a vector. */
function grouping(node: Node, text: Source): readonly string[] | undefined {
  const found = child(node, 'Grouping');
  return found === undefined ? undefined : below(found, 'Identifier').map(text);
}

const only = (labels: Labels, names: readonly string[]): Labels =>
  Object.fromEntries(names.flatMap(name => (labels[name] === undefined ? [] : [[name, labels[name]]])));

function overRange(node: Node, text: Source, { lines, at }: Moment): Vector {
  const operation = onlyChild(need(node, 'RangeOp')).name;
  const range = need(node, 'LogRangeExpr');
  const seconds = secondsOf(text(need(need(range, 'Range'), 'Duration')));
  const unwrap = child(range, 'UnwrapExpr');
  const label = unwrap === undefined ? undefined : text(need(unwrap, 'Identifier'));
  const by = grouping(node, text);
  const offset = child(range, 'OffsetExpr');
  const back = offset === undefined ? 0 : secondsOf(text(need(offset, 'Duration')));
  const end = BigInt(at - back) * 1_000_000_000n;
  const inRange = lines.filter(one => BigInt(one.at) > end - BigInt(seconds) * 1_000_000_000n && BigInt(one.at) <= end);
  const found = piped(range, text)(inRange).filter(({ labels }) => label === undefined || labels[label] !== undefined);
  const groups = byLabels(
    found,
    ({ labels }) => (by === undefined ? without(labels, label) : only(labels, by)),
    ({ labels }) => (label === undefined ? 1 : Number(labels[label])),
  );
  return groups.map(({ labels, values }) => ({ labels, value: ranged(operation, values, node, text) }));
}

const without = (labels: Labels, name: string | undefined): Labels =>
  Object.fromEntries(Object.entries(labels).filter(([key]) => key !== name));

function ranged(operation: string, values: readonly number[], node: Node, text: Source): number {
  switch (operation) {
    case 'CountOverTime':
    case 'SumOverTime':
      return sum(values);
    case 'MaxOverTime':
      return Math.max(...values);
    case 'QuantileOverTime':
      return quantile(Number(text(need(node, 'Number'))), values);
    default:
      throw new Error(`Unknown range operation ${operation}`);
  }
}

const descending = (vector: Vector): Vector => vector.toSorted((a, b) => b.value - a.value);

function overVector(node: Node, text: Source, moment: Moment): Vector {
  const inner = metric(need(node, 'MetricExpr'), text, moment);
  const operation = onlyChild(need(node, 'VectorOp')).name;
  if (operation === 'Sort_Desc') return descending(inner);
  if (operation === 'Topk') return descending(inner).slice(0, Number(text(need(node, 'Number'))));
  const by = grouping(node, text) ?? [];
  const groups = byLabels(
    inner,
    ({ labels }) => only(labels, by),
    ({ value }) => value,
  );
  return groups.map(({ labels, values }) => ({ labels, value: aggregated(operation, values) }));
}

function aggregated(operation: string, values: readonly number[]): number {
  switch (operation) {
    case 'Sum':
      return sum(values);
    case 'Max':
      return Math.max(...values);
    case 'Count':
      return values.length;
    default:
      throw new Error(`Unknown aggregation ${operation}`);
  }
}

/** What one of the vectors has for labels that the other has not. */
function lacking(vector: Vector, other: Vector): Vector {
  const taken = new Set(other.map(({ labels }) => JSON.stringify(labels)));
  return vector.filter(({ labels }) => !taken.has(JSON.stringify(labels)));
}

/** `a or b`, `a unless b`, `a > 1`. */
function combined(node: Node, text: Source, moment: Moment): Vector {
  const [left, right] = children(node).filter(({ name }) => name === 'Expr');
  if (left === undefined || right === undefined) throw new Error('An operator has not two sides');
  const vector = metric(left, text, moment);
  if (child(node, 'Gtr') !== undefined) return vector.filter(({ value }) => value > Number(text(right)));
  const other = metric(right, text, moment);
  if (child(node, 'Unless') !== undefined) return lacking(vector, other);
  need(node, 'Or');
  return [...vector, ...lacking(other, vector)];
}

function metric(node: Node, text: Source, moment: Moment): Vector {
  switch (node.name) {
    case 'LogQL':
    case 'Expr':
    case 'MetricExpr':
      return metric(onlyChild(node), text, moment);
    case 'BinOpExpr':
      return combined(node, text, moment);
    case 'VectorExpr':
      return [{ labels: {}, value: Number(text(need(node, 'Number'))) }];
    case 'VectorAggregationExpr':
      return overVector(node, text, moment);
    case 'RangeAggregationExpr':
      return overRange(node, text, moment);
    default:
      throw new Error(`Unknown node ${node.name}`);
  }
}

function onlyChild(node: Node): Node {
  const [first, ...others] = children(node);
  if (first === undefined || others.length > 0) throw new Error(`${node.name} has not one child`);
  return first;
}
