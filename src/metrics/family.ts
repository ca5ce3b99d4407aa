/** A metric family as data: registration, the stored series, docs/METRICS.md and the dashboards' check are all read from this. */
export type Family = Readonly<{
  name: `vb365_${string}`;
  help: string;
  /** What a value counts or measures, for people. */
  unit: string;
  /** In the order in which every label list of this family is written. */
  labels: readonly string[];
  /** Values known beforehand. A family whose labels, beside `server`, are all known is born at 0. */
  known?: Readonly<Record<string, readonly string[]>>;
  /** True: kept in the store and restored, exact across restarts. False: alive only in this process. */
  stored: boolean;
  /**
   * True: an increment waits until the series has been scraped, so that `increase()` sees the first event of all.
   * Stored counters only.
   */
  held?: true;
  /** A PromQL query that answers a question with it. */
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

/** Keeps the literal types of a row, so that a wrong label of it is a type error. */
export const family = <const F extends Family>(definition: F): F => definition;

/** The labels of a family, each with the values it may have as far as they are closed. */
export type LabelsOf<F extends Family> = Readonly<{
  [L in F['labels'][number]]: F extends { known: Readonly<Record<L, readonly (infer Value extends string)[]>> }
    ? Value
    : string;
}>;

/**
 * All label lists a closed family can have; none when a label is open.
 * @param given values that are known only now, such as the servers; they win over those of the row.
 */
export function closedLabels(
  { labels, known }: Family,
  given: Readonly<Record<string, readonly string[]>>,
): readonly (readonly string[])[] {
  let lists: readonly (readonly string[])[] = [[]];
  for (const label of labels) {
    const values = given[label] ?? known?.[label] ?? [];
    lists = lists.flatMap(list => values.map(value => [...list, value]));
  }
  return lists;
}
