import * as fc from 'fast-check';

/** One thing done to a JSON text. `at` says where, as a share of all the places there are. */
export type Damage = Readonly<{ at: number }> &
  (
    | Readonly<{ do: 'replace'; value: unknown }>
    | Readonly<{ do: 'remove' | 'repeat' | 'swap' }>
    | Readonly<{ do: 'cut' }>
    | Readonly<{ do: 'write'; letter: string }>
  );

/** Values that break what was not written with care. */
const nasty = fc.constantFrom<unknown>(
  null,
  '',
  ' ',
  -1,
  0.5,
  1e308,
  2 ** 31,
  2 ** 53,
  '0001-01-01T00:00:00',
  '9999-12-31T23:59:59.9999999Z',
  '2024-02-30T00:00:00Z',
  '-00:00:01',
  '99999999.23:59:59.9999999',
  '\ud800',
  'Running',
  'running',
  'Postponed',
  'constructor',
  '__proto__',
  '00000000-0000-0000-0000-000000000000',
  [],
  {},
  [[[]]],
);

const where = fc.nat({ max: 9_999 }).map(share => share / 10_000);
const single: fc.Arbitrary<Damage> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('replace' as const),
      at: where,
      value: fc.oneof(nasty, fc.jsonValue({ maxDepth: 1 })),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constantFrom('remove', 'repeat', 'swap'), at: where }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('cut' as const), at: where }) },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('write' as const), at: where, letter: fc.string({ maxLength: 3 }) }),
  },
);

/** One to four, one after the other. */
export const damages = fc.array(single, { minLength: 1, maxLength: 4 });

/** The text after all that was done to it. Damage that breaks the JSON leaves only text to damage. */
export const damage = (text: string, done: readonly Damage[]): string => done.reduce(damaged, text);

function damaged(text: string, one: Damage): string {
  const at = Math.floor(one.at * text.length);
  if (one.do === 'cut') return text.slice(0, at);
  if (one.do === 'write') return text.slice(0, at) + one.letter + text.slice(at + one.letter.length);
  const root = parsed(text);
  const places = placesIn(root);
  const place = places[Math.floor(one.at * places.length)];
  if (place === undefined) return text;
  change(place, one);
  return JSON.stringify(root);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

type Place = Readonly<{ holder: Record<string, unknown>; key: string }>;

/** Every value that stands in an object or an array, however deep. */
function placesIn(value: unknown): readonly Place[] {
  if (typeof value !== 'object' || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap(key => [{ holder, key }, ...placesIn(holder[key])]);
}

function change({ holder, key }: Place, one: Damage): void {
  const list: unknown[] | undefined = Array.isArray(holder) ? holder : undefined;
  const index = Number(key);
  if (one.do === 'replace') holder[key] = one.value;
  else if (list === undefined) delete holder[key];
  else if (one.do === 'remove') list.splice(index, 1);
  else if (one.do === 'repeat') list.splice(index, 0, structuredClone(list[index]));
  else list.push(...list.splice(index, 1));
}
