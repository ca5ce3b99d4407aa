import { expect, test } from '@jest/globals';
import { parseDuration } from '../../src/config/duration.js';

test.each([
  ['500ms', 500],
  ['30s', 30_000],
  ['5m', 300_000],
  ['1h30m', 5_400_000],
  ['7d', 604_800_000],
  ['90m', 5_400_000],
  ['1d2h3m4s5ms', 93_784_005],
  ['0s', 0],
])('%s is %d ms', (text, ms) => {
  expect(parseDuration(text)).toBe(ms);
});

test.each(['', '30', '1.5h', '-1s', '1m1h', '1s1s', ' 1s', '1 s', '1S', '1w', '٣s', '1s\n', 's', '9999999999s'])(
  '%p is not a duration',
  text => {
    expect(parseDuration(text)).toBeUndefined();
  },
);
