/** Values by label. */
export type LabelValueLists = Readonly<Record<string, readonly string[]>>;

/** A metric family as data: /metrics, the stored series, docs/METRICS.md and the checks of dashboards read it. */
export type Family = Readonly<{
  name: `vb365_${string}`;
  help: string;
  /** What a value counts or measures, for docs/METRICS.md. */
  unit: string;
  /** In the order of every label list of this family. */
  labels: readonly string[];
  /** Closed lists of label values. A family is closed when all its labels but `server` are in here. */
  known?: LabelValueLists;
  /** Values that never occur together: a label list that has, of every label in here, one of the values. */
  never?: LabelValueLists;
  /** True: the series of this closed family are created on first use. Default: they exist at 0 from the start. */
  onFirstUse?: true;
  /** True: kept in the store, exact across restarts. Default: lives in this process only. */
  stored?: true;
  /** True, for stored counters only: an increment is held back until the series has been scraped; see `IncrementHold`. */
  held?: true;
  /** True, for gauges of a server only: still right when nobody reads the server any more, such as a time in the past or a setting. */
  lasting?: true;
  /** A PromQL query that uses the family. */
  example: string;
}> &
  (
    | Readonly<{ type: 'counter' }>
    | Readonly<{ type: 'gauge' }>
    | Readonly<{ type: 'histogram'; /** Upper bounds, ascending, without +Inf. */ buckets: readonly number[] }>
  );

export type Counter = Extract<Family, { type: 'counter' }>;
export type Gauge = Extract<Family, { type: 'gauge' }>;
export type Histogram = Extract<Family, { type: 'histogram' }>;

/** Keeps the literal types of a definition, so that a wrong label is a type error. */
const familyOf =
  <T extends Family['type']>(type: T) =>
  <const F extends Omit<Extract<Family, { type: T }>, 'type'>>(definition: F): F & Readonly<{ type: T }> => ({
    ...definition,
    type,
  });

export const counter = familyOf('counter');
export const gauge = familyOf('gauge');
export const histogram = familyOf('histogram');

/** The labels of a family, with the closed lists of values where there are such. */
export type LabelsOf<F extends Family> = Readonly<{
  [L in F['labels'][number]]: F extends { known: Readonly<Record<L, readonly (infer Value extends string)[]>> }
    ? Value
    : string;
}>;

/**
 * All label lists of a closed family; none when a label is open.
 * @param given values known only at run time, such as the servers; they win over those of the family.
 */
export function closedLabels({ labels, known, never }: Family, given: LabelValueLists): readonly (readonly string[])[] {
  let lists: readonly (readonly string[])[] = [[]];
  for (const label of labels) {
    const values = given[label] ?? known?.[label] ?? [];
    lists = lists.flatMap(list => values.map(value => [...list, value]));
  }
  const excluded = Object.entries(never ?? {}).map(([label, values]) => ({ at: labels.indexOf(label), values }));
  if (excluded.length === 0) return lists;
  return lists.filter(list => !excluded.every(({ at, values }) => values.includes(list[at] ?? '')));
}
