/**
 * A value of an enumeration of the API: `raw` as the server wrote it, `label` the known value, or `other` for one that a
 * newer server added. Labels are closed, so that a metric may carry them.
 */
export type Term<Known extends string> = Readonly<{ label: Known | 'other'; raw: string }>;

/** Finds the term for a value; ignores letter case, because old versions write lower case. */
export function vocabulary<const Known extends string>(known: readonly Known[]): (raw: string) => Term<Known> {
  const terms = new Map(known.map(label => [label.toLowerCase(), Object.freeze({ label, raw: label })]));
  return raw => terms.get(raw.toLowerCase()) ?? { label: 'other', raw };
}
