/** Samples of an exposition by series. */
export type Samples = ReadonlyMap<string, number>;

/** A series in one spelling, whatever the order of its labels. */
export const keyOf = (name: string, labels: Readonly<Record<string, string>>): string =>
  `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .sort()
    .join(',')}}`;

/** Reads the text format, as far as the exporter writes it. */
export function readExposition(text: string): Samples {
  const samples = new Map<string, number>();
  for (const line of text.split('\n')) {
    const [, name = '', inBraces = '', value = ''] = /^([a-z]\w*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === '') continue;
    const labels: Record<string, string> = {};
    for (const [, label = '', shown = ''] of inBraces.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g))
      // What a replica serves continues what others served before.
      if (label !== 'lease') labels[label] = shown;
    samples.set(keyOf(name, labels), Number(value));
  }
  return samples;
}

/** Families that `book.ts` keeps too; those in `summed` without the label of what is not known beforehand. */
const kept =
  /^vb365_(?:restore_(?:events|sessions|item_bytes|events_abandoned)_total|event_corrections_total|restore_(?:item|session)_duration_seconds_(?:bucket|sum|count))\{/;
const summed = /^vb365_(?:sink_delivered|restore_owner_events)_total\{/;

/** The samples that a book holds too, in the words of the book. */
export function counted(samples: Samples): Samples {
  const sums = new Map<string, number>();
  for (const [key, value] of samples) {
    if (kept.test(key)) sums.set(key, value);
    if (!summed.test(key)) continue;
    const whole = key.replace(/(?:outcome|relation)="\w+",/, '');
    sums.set(whole, (sums.get(whole) ?? 0) + value);
  }
  return sums;
}

/** Series that differ, as `series: wanted 3, is 4`; one that is not there is 0. */
export function differences(wanted: Samples, found: Samples): readonly string[] {
  return [...new Set([...wanted.keys(), ...found.keys()])].flatMap(key => {
    const [want, is] = [wanted.get(key) ?? 0, found.get(key) ?? 0];
    return want === is ? [] : [`${key}: wanted ${String(want)}, is ${String(is)}`];
  });
}

/** Series that have gone down. */
export const fallen = (before: Samples, after: Samples): readonly string[] =>
  [...before].flatMap(([key, value]) => {
    const now = after.get(key);
    return now === undefined || now < value ? [`${key}: was ${String(value)}, is ${String(now)}`] : [];
  });
