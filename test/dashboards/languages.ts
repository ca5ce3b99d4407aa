import { parser as logqlParser } from '@grafana/lezer-logql';
import { parser as promqlParser } from '@prometheus-io/lezer-promql';

type Tree = ReturnType<typeof promqlParser.parse>;
type Node = Tree['topNode'];

/** A query with something in place of what Grafana fills in; the values do not matter. */
export const filledIn = (query: string): string =>
  query
    .replaceAll(/\$__(rate_)?interval_ms/g, '60000')
    .replaceAll('$__rate_interval', '7m')
    .replaceAll('$__interval', '6m')
    .replaceAll('$__range', '1d')
    .replaceAll('$__auto', '9m');

export type Parsed = Readonly<{
  /** Whether it is a query of that language at all. */
  valid: boolean;
  /** Every node of that kind, with those around it, innermost first. */
  all(kind: string): readonly Found[];
}>;

export type Found = Readonly<{ text: string; within: readonly string[]; node: Node }>;

const parsed = (tree: Tree, text: string): Parsed => {
  const found: (Found & { kind: string })[] = [];
  let valid = text.trim() !== '';
  tree.iterate({
    enter: ref => {
      if (ref.type.isError) valid = false;
      const within: string[] = [];
      for (let parent = ref.node.parent; parent !== null; parent = parent.parent) within.push(parent.name);
      found.push({ kind: ref.name, text: text.slice(ref.from, ref.to), within, node: ref.node });
    },
  });
  return { valid, all: kind => found.filter(one => one.kind === kind) };
};

export const promql = (query: string): Parsed => parsed(promqlParser.parse(filledIn(query)), filledIn(query));
export const logql = (query: string): Parsed => parsed(logqlParser.parse(filledIn(query)), filledIn(query));

export type Selector = Readonly<{
  metric: string;
  matchers: readonly (readonly [string, string, string])[];
  node: Node;
}>;

/** What a PromQL query selects. */
export const selectorsOf = (query: string): readonly Selector[] =>
  promql(query)
    .all('VectorSelector')
    .map(({ text, node }) => ({
      metric: /^\w+/.exec(text)?.[0] ?? '',
      matchers: [...text.matchAll(/(\w+)\s*(=~|!=|!~|=)\s*"([^"]*)"/g)].map(
        ([, label = '', operator = '', value = '']) => [label, operator, value] as const,
      ),
      node,
    }));
