import { expect, test } from '@jest/globals';
import { createSuspects } from '../../src/otlp/refused-records.js';

test('a suspect is guilty once something was taken after its first refusal, and not before', () => {
  const suspects = createSuspects();
  suspects.lives();
  suspects.suspect('a', suspects.mark());
  expect([suspects.has('a'), suspects.guilty('a')]).toEqual([true, false]);
  suspects.lives();
  suspects.suspect('a', suspects.mark());
  expect(suspects.guilty('a')).toBe(true);
});

test('who was never refused is neither suspect nor guilty', () => {
  const suspects = createSuspects();
  suspects.lives();
  expect([suspects.has('a'), suspects.guilty('a')]).toEqual([false, false]);
});

test('who is cleared begins anew', () => {
  const suspects = createSuspects();
  suspects.suspect('a', suspects.mark());
  suspects.lives();
  suspects.clear(['a']);
  suspects.suspect('a', suspects.mark());
  expect(suspects.guilty('a')).toBe(false);
});

test('no more than 20,000 are kept: then all are forgotten, which puts a decision off and makes none', () => {
  const suspects = createSuspects();
  for (let n = 0; n < 20_000; n += 1) suspects.suspect(String(n), suspects.mark());
  expect(suspects.has('0')).toBe(true);
  suspects.lives();
  suspects.suspect('one more', suspects.mark());
  expect([suspects.has('0'), suspects.guilty('0')]).toEqual([false, false]);
  expect(suspects.has('one more')).toBe(true);
});
