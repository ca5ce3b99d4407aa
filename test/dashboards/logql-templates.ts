import type { Line } from '../support/loki-receiver.js';

type Template = (line: Line) => string;

const days = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];

const timePart =
  (layout: string | undefined): Template =>
  ({ at }) => {
    const time = new Date(Number(BigInt(at) / 1_000_000n));
    return layout === 'Mon' ? (days[time.getUTCDay()] ?? '') : String(time.getUTCHours()).padStart(2, '0');
  };

const of =
  (label = ''): Template =>
  ({ labels }) =>
    labels[label] ?? '';

const known: readonly (readonly [RegExp, (...groups: readonly (string | undefined)[]) => Template])[] = [
  [/^\.(\w+)$/, of],
  [/^ToLower \.(\w+)$/, label => line => of(label)(line).toLowerCase()],
  [
    /^ToLower \(regexReplaceAll ("(?:[^"\\]|\\.)*") \.(\w+) "\$1"\)$/,
    (pattern = '""', label) =>
      line =>
        of(label)(line)
          .replace(new RegExp(String(JSON.parse(pattern)), 'g'), '$1')
          .toLowerCase(),
  ],
  [/^ne \.(\w+) \.(\w+)$/, (a, b) => line => String(of(a)(line) !== of(b)(line))],
  [/^__timestamp__ \| date "(15|Mon)"$/, timePart],
];

/** The templates that dashboards and rules use. Times are UTC. */
export function templated(template: string): Template {
  for (const [form, make] of known) {
    const found = form.exec(/^\{\{ ([^]*) \}\}$/.exec(template)?.[1] ?? '');
    if (found !== null) return make(...found.slice(1));
  }
  throw new Error(`Unknown template ${template}`);
}
