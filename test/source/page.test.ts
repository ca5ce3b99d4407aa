import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ExporterError } from '../../src/kernel/errors.js';
import { decodePage } from '../../src/source/page.js';

const asked = { operation: 'events', offset: 10, limit: 3 } as const;
const wire = (rows: number, over: Readonly<Record<string, unknown>> = {}): unknown => ({
  offset: 10,
  limit: 3,
  results: Array.from({ length: rows }, (_, index) => index),
  ...over,
});

const next = { _links: { next: { href: 'https://elsewhere.example/' } } };

describe('a page', () => {
  test.each([
    ['no rows', wire(0), true, []],
    ['no rows but a link', wire(0, next), true, []],
    ['fewer rows than its limit', wire(2), true, []],
    ['fewer rows than its limit and a link', wire(2, next), false, []],
    ['fewer rows than its limit and a null link', wire(2, { _links: { next: null } }), true, []],
    ['fewer rows than its limit and null links', wire(2, { _links: null }), true, []],
    ['as many rows as its limit', wire(3), false, []],
    ['more rows than its limit', wire(4), false, ['limit_ignored']],
    ['a smaller limit that it fills', wire(2, { limit: 2 }), false, ['limit_ignored']],
    ['a smaller limit that it does not fill', wire(1, { limit: 2 }), true, ['limit_ignored']],
    ['a larger limit', wire(3, { limit: 30 }), true, ['limit_ignored']],
  ])('of %s', (_, json, last, anomalies) => {
    expect(decodePage(json, asked)).toMatchObject({ last, anomalies });
  });

  test('that is a bare array is the whole collection, from the offset on', () => {
    const all = Array.from({ length: 12 }, (_, index) => index);
    expect(decodePage(all, asked)).toEqual({ rows: [10, 11], last: true, anomalies: [] });
  });

  test.each([
    [{}, 'the answer is not a page (see "offset")'],
    [null, 'the answer is not a page'],
    ['canary', 'the answer is not a page'],
    [wire(1, { limit: 'canary' }), 'the answer is not a page (see "limit")'],
    [wire(1, { results: 'canary' }), 'the answer is not a page (see "results")'],
    [wire(1, { offset: 0 }), 'the answer is the page at another offset'],
    [wire(1, { offset: -1 }), 'the answer is not a page (see "offset")'],
  ])('%j is refused: %s', (json, why) => {
    const error = new ExporterError('decode', `Could not read restore events: ${why}`);
    expect(() => decodePage(json, asked)).toThrow(error);
    expect(() => decodePage(json, asked)).toThrow(expect.objectContaining({ reason: 'decode' }));
  });

  test('of any JSON is one, or is refused as such', () => {
    const likely = fc.record({
      offset: fc.constantFrom(10, 0),
      limit: fc.jsonValue(),
      results: fc.jsonValue(),
      _links: fc.jsonValue(),
    });
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), likely), json => {
        try {
          decodePage(json, asked);
        } catch (thrown) {
          expect(thrown).toMatchObject({ name: 'ExporterError', reason: 'decode' });
        }
      }),
    );
  });
});
