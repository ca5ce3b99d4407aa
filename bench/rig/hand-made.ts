// The floor of a scrape: what one would write by hand for the same page. It holds what a simple exporter holds, a label
// object and a number for each sample, and goes over it once, escaping every label value as it comes.
type Labels = Readonly<Record<string, string>>;
type Exemplar = Readonly<{ labels: Labels; value: number; at: number }>;
type Sample = Readonly<{ name: string; labels: Labels; value: number; exemplar: Exemplar | undefined }>;
/** `head`: the lines that go before the samples. */
export type Held = readonly Readonly<{ head: string; samples: readonly Sample[] }>[];

/** All of a page, written anew. */
export function writeByHand(families: Held, end: string): Buffer {
  let page = '';
  for (const { head, samples } of families) {
    page += head;
    for (const { name, labels, value, exemplar } of samples) {
      page += `${name}${braced(labels)} ${numberText(value)}`;
      if (exemplar !== undefined)
        page += ` # ${braced(exemplar.labels)} ${numberText(exemplar.value)} ${String(exemplar.at)}`;
      page += '\n';
    }
  }
  return Buffer.from(page + end);
}

function braced(labels: Labels): string {
  let text = '';
  for (const [name, value] of Object.entries(labels)) text += `${text === '' ? '{' : ','}${name}="${escaped(value)}"`;
  return text === '' ? '' : `${text}}`;
}

const escapes: Readonly<Record<string, string>> = { '\\': '\\\\', '"': '\\"', '\n': '\\n' };
const escaped = (value: string): string => value.replace(/[\\"\n]/g, character => escapes[character] ?? '');
const numberText = (value: number): string =>
  Math.abs(value) === Infinity ? (value > 0 ? '+Inf' : '-Inf') : String(value);

/** What a page says, as a simple exporter would hold it. Families without samples go with the next. */
export function heldOf(page: string): Held {
  const families: { head: string; samples: Sample[] }[] = [];
  let inHead = false;
  for (const line of page.split('\n')) {
    if (line === '' || line === '# EOF') continue;
    const heading = line.startsWith('# ');
    if (heading && !inHead) families.push({ head: '', samples: [] });
    inHead = heading;
    const family = families.at(-1);
    if (family === undefined) continue;
    if (heading) family.head += `${line}\n`;
    else family.samples.push(sampleOf(line));
  }
  return families;
}

function sampleOf(line: string): Sample {
  const [, name = '', labels = '', value = '', exemplar] = /^(\w+)(?:\{(.*?)\})? (\S+)(?: # (.*))?$/.exec(line) ?? [];
  return {
    name,
    labels: labelsIn(labels),
    value: numberOf(value),
    exemplar: exemplar === undefined ? undefined : exemplarOf(exemplar),
  };
}

function exemplarOf(text: string): Exemplar {
  const [, labels = '', value = '', at = ''] = /^\{(.*)\} (\S+) (\S+)$/.exec(text) ?? [];
  return { labels: labelsIn(labels), value: Number(value), at: Number(at) };
}

const labelsIn = (text: string): Labels =>
  Object.fromEntries(
    [...text.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, name = '', value = '']) => [name, value]),
  );

const numberOf = (text: string): number => (text === '+Inf' ? Infinity : Number(text));
