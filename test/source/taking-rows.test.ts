import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { takingRows } from '../../src/source/taking-rows.js';

type Page = Readonly<{ results: readonly unknown[] }>;

/** What is taken of a text that comes in pieces of one size, and what is kept of it. */
function feed(text: string, size: number) {
  const taken: unknown[] = [];
  const keep = takingRows(row => void taken.push(row));
  let kept = '';
  for (let from = 0; from < text.length; from += size) kept = keep(kept, text.slice(from, from + size));
  return { taken, kept };
}

/** The page, put together again. */
function restored(text: string, size: number): Page {
  const { taken, kept } = feed(text, size);
  const page = JSON.parse(kept) as Page;
  return { ...page, results: [...taken, ...page.results] };
}

const row = (n: number, over: object = {}) => ({ id: n, title: `Item ${String(n)} ü 请`, ...over });
const rows = (count: number, over: (n: number) => object = () => ({})) =>
  Array.from({ length: count }, (_, n) => row(n, over(n)));
const size = 16_384;

describe('of a page of many rows', () => {
  const page = { offset: 0, limit: 5_000, results: rows(5_000), _links: { next: { href: 'x' } } };
  const text = JSON.stringify(page);

  test('nearly all are taken while it comes, in order, and what is kept is the page of the others', () => {
    const { taken, kept } = feed(text, size);
    expect(taken.length).toBeGreaterThan(4_000);
    expect(taken).toEqual(page.results.slice(0, taken.length));
    expect(JSON.parse(kept)).toEqual({ ...page, results: page.results.slice(taken.length) });
    expect(kept.length).toBeLessThan(3 * size);
  });

  test.each([1_000, 4_096, size, 50_000, text.length])('none is lost in pieces of %i', piece => {
    expect(restored(text, piece)).toEqual(page);
  });
});

/** Whatever may look like a seam or an opening, and is none. */
const oddities: Readonly<Record<string, (n: number) => object>> = {
  'a text with what stands between rows': n => (n === 700 ? { title: 'x},{y' } : {}),
  'such a text in every row': () => ({ title: '},{' }),
  'a list of objects': () => ({ list: [{ a: 1 }, { a: 2 }], b: { c: [{}, {}] } }),
  'a text with an opening': () => ({ title: '"results":[{' }),
  'a list of the same name': () => ({ results: [{ results: [] }, {}] }),
};

test.each(Object.entries(oddities))('%s is taken for what it is', (_, over) => {
  const page = { offset: 0, limit: 2_000, results: rows(2_000, over), tail: [{ a: 1 }, { b: 2 }] };
  expect(restored(JSON.stringify(page), size)).toEqual(page);
});

test.each<[string, (page: Page) => string]>([
  ['with blanks', page => JSON.stringify(page, null, 2)],
  ['with another list of the name in front', page => JSON.stringify({ first: { results: rows(2_000) }, ...page })],
  ['with a list in a list in front', page => JSON.stringify({ first: [{ results: rows(2_000) }], ...page })],
  ['with a list of a longer name in front', page => JSON.stringify({ 'x"results': rows(2_000), ...page })],
  ['with links in front', page => JSON.stringify({ _links: { self: { href: 'x' } }, ...page })],
  ['as a bare list', page => JSON.stringify({ results: [], bare: page.results })],
])('a page %s is the same page', (_, write) => {
  const text = write({ results: rows(2_000) });
  expect(restored(text, size)).toEqual(JSON.parse(text));
});

test('of a list alone, of another thing, and of what is no JSON, nothing is taken and all is kept', () => {
  const whole = JSON.stringify(rows(2_000));
  for (const text of [whole, JSON.stringify({ other: rows(2_000) }), '<html>'.repeat(9_000)])
    expect(feed(text, size)).toEqual({ taken: [], kept: text });
});

const listed = (n: number) => (n < 1_500 ? { list: [{ a: 1 }, { b: 'x'.repeat(40) }] } : {});

test('after a cut that was none, the rest is left to be parsed in one go', () => {
  expect(feed(JSON.stringify({ results: rows(4_000, listed) }), size).taken.length).toBeLessThanOrEqual(1_500);
});

test.each<[string, object]>([
  ['a row longer than a piece', { results: rows(4_000, n => (n === 2_000 ? { text: 'x'.repeat(50_000) } : {})) }],
  ['a head longer than a piece', { before: 'x'.repeat(20_000), results: rows(4_000) }],
])('%s keeps no row from being taken', (_, page) => {
  expect(feed(JSON.stringify(page), size).taken.length).toBeGreaterThan(3_000);
});

test('a small page is kept as it is', () => {
  const text = JSON.stringify({ results: rows(25) });
  expect(feed(text, 100)).toEqual({ taken: [], kept: text });
});

test('a page that is cut or broken is still no JSON', () => {
  const text = JSON.stringify({ results: rows(2_000) });
  for (const broken of [text.slice(0, -20), `${text.slice(0, 50_000)}#${text.slice(50_000)}`])
    expect(() => restored(broken, size)).toThrow(SyntaxError);
});

test('any page in any pieces is the same page', () => {
  const member = fc.oneof(fc.jsonValue(), fc.constantFrom('},{', '"results":[', ']}', [{}, {}], { results: [{}, {}] }));
  const wire = fc.record({
    before: member,
    row: fc.dictionary(fc.constantFrom('a', 'results', '},{'), member, { minKeys: 1 }),
    after: member,
    count: fc.integer({ min: 0, max: 60 }),
    size: fc.integer({ min: 2_000, max: 40_000 }),
  });
  fc.assert(
    fc.property(wire, ({ before, row: one, after, count, size: piece }) => {
      const long = { ...one, pad: 'x'.repeat(2_000) };
      const text = JSON.stringify({ before, results: Array.from({ length: count }, () => long), after });
      expect(restored(text, piece)).toEqual(JSON.parse(text));
    }),
  );
});
