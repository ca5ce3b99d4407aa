import type { Metric } from 'prom-client';
import type { Family } from '../telemetry/family.js';

/** One line of the exposition. */
export type Sample = Readonly<{
  value: number;
  labels: Readonly<Record<string, string | number>>;
  /** Labels that many samples have in common; the library writes one object of them only once. */
  sharedLabels?: Readonly<Record<string, string>>;
  /** The name of the line where it is not the family's, as of a histogram's buckets. */
  metricName?: string;
}>;

/**
 * A family whose values we keep ourselves, as the registry of prom-client takes it: the library has no way to restore
 * a histogram, and lets two label sets fall together when a value holds `,` and `:`. Formatting and escaping stay its.
 */
export function exposedFamily({ name, help, type }: Family, samples: () => readonly Sample[]): Metric<string> {
  const get = async (): Promise<object> => ({ name, help, type, aggregator: 'sum', values: samples() });
  const exposed: unknown = { name, help, type, aggregator: 'sum', get, getForPromString: get };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the registry asks for these members only (lib/registry.js, 0.16.1)
  return exposed as Metric<string>;
}

/** A key that no two label lists share, whatever the labels hold. */
export const keyOf = (labels: readonly string[]): string => JSON.stringify(labels);

/** Label values with their names. */
export function named(names: readonly string[], values: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? '']));
}
