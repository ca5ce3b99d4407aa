import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import {
  closed,
  formatIntervalSet,
  gaps,
  contains,
  type IntervalSet,
  parseIntervalSet,
  sizeOf,
  insert,
} from '../../src/pipeline/interval-set.js';

const numbers = fc.array(fc.nat({ max: 60 }));
const of = (list: readonly number[]): IntervalSet => insert([], list);

describe('orders', () => {
  test('hold exactly the numbers that were added, in whatever portions', () => {
    fc.assert(
      fc.property(numbers, numbers, (first, second) => {
        const orders = insert(of(first), second);
        for (let n = 0; n <= 60; n += 1) expect(contains(orders, n)).toBe(first.includes(n) || second.includes(n));
        expect(sizeOf(orders)).toBe(new Set([...first, ...second]).size);
      }),
    );
  });
  test('are sorted intervals that neither touch nor overlap', () => {
    fc.assert(
      fc.property(numbers, list => {
        const orders = of(list);
        for (const [index, [first, last]] of orders.entries()) {
          expect(first).toBeLessThanOrEqual(last);
          if (index > 0) expect(first).toBeGreaterThan((orders[index - 1]?.[1] ?? 0) + 1);
        }
      }),
    );
  });
  test('and their gaps fill the closed set', () => {
    fc.assert(
      fc.property(numbers, list => {
        const orders = of(list);
        expect(sizeOf(orders) + sizeOf(gaps(orders))).toBe(sizeOf(closed(orders)));
        expect(gaps(closed(orders))).toEqual([]);
      }),
    );
  });
  test('are the same after being written and read', () => {
    fc.assert(fc.property(numbers, list => expect(parseIntervalSet(formatIntervalSet(of(list)))).toEqual(of(list))));
  });
  test.each([
    [[], ''],
    [[3], '3'],
    [[0, 1, 2, 3, 5, 7, 8], '0-3,5,7-8'],
  ])('%j is written as "%s"', (list, text) => {
    expect(formatIntervalSet(of(list))).toBe(text);
  });
});
