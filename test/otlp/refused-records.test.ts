import { expect, test } from '@jest/globals';
import { RefusedRecords } from '../../src/otlp/refused-records.js';

test('a refused record is poison once another request was accepted after its first refusal, not before', () => {
  const refused = new RefusedRecords();
  refused.countAccepted();
  refused.add('a', refused.accepted);
  expect([refused.has('a'), refused.isPoison('a')]).toEqual([true, false]);
  refused.countAccepted();
  refused.add('a', refused.accepted);
  expect(refused.isPoison('a')).toBe(true);
});

test('a record that was never refused is not poison', () => {
  const refused = new RefusedRecords();
  refused.countAccepted();
  expect([refused.has('a'), refused.isPoison('a')]).toEqual([false, false]);
});

test('a deleted record starts again', () => {
  const refused = new RefusedRecords();
  refused.add('a', refused.accepted);
  refused.countAccepted();
  refused.delete(['a']);
  refused.add('a', refused.accepted);
  expect(refused.isPoison('a')).toBe(false);
});

test('at most 20,000 are kept: then all are forgotten, which delays a decision and makes none', () => {
  const refused = new RefusedRecords();
  for (let n = 0; n < 20_000; n += 1) refused.add(String(n), refused.accepted);
  expect(refused.has('0')).toBe(true);
  refused.countAccepted();
  refused.add('one more', refused.accepted);
  expect([refused.has('0'), refused.isPoison('0')]).toEqual([false, false]);
  expect(refused.has('one more')).toBe(true);
});
