import { expect, test } from '@jest/globals';
import { createRefusedRecords } from '../../src/otlp/refused-records.js';

test('a suspect is guilty once something was taken after its first refusal, and not before', () => {
  const refused = createRefusedRecords();
  refused.lives();
  refused.suspect('a', refused.mark());
  expect([refused.has('a'), refused.guilty('a')]).toEqual([true, false]);
  refused.lives();
  refused.suspect('a', refused.mark());
  expect(refused.guilty('a')).toBe(true);
});

test('who was never refused is neither suspect nor guilty', () => {
  const refused = createRefusedRecords();
  refused.lives();
  expect([refused.has('a'), refused.guilty('a')]).toEqual([false, false]);
});

test('who is cleared begins anew', () => {
  const refused = createRefusedRecords();
  refused.suspect('a', refused.mark());
  refused.lives();
  refused.clear(['a']);
  refused.suspect('a', refused.mark());
  expect(refused.guilty('a')).toBe(false);
});

test('no more than 20,000 are kept: then all are forgotten, which puts a decision off and makes none', () => {
  const refused = createRefusedRecords();
  for (let n = 0; n < 20_000; n += 1) refused.suspect(String(n), refused.mark());
  expect(refused.has('0')).toBe(true);
  refused.lives();
  refused.suspect('one more', refused.mark());
  expect([refused.has('0'), refused.guilty('0')]).toEqual([false, false]);
  expect(refused.has('one more')).toBe(true);
});
