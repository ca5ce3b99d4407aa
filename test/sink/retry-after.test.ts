import { expect, test } from '@jest/globals';
import { retryAfterMs } from '../../src/sink/retry-after.js';

const now = Date.UTC(2026, 0, 1, 12, 0, 0);

test.each([
  ['7', 7_000],
  [' 7 ', 7_000],
  ['0', 1_000],
  ['999999999999', 3_600_000],
  ['Thu, 01 Jan 2026 12:00:30 GMT', 30_000],
  ['Thursday, 01-Jan-26 12:00:30 GMT', 30_000],
  ['Thu Jan  1 12:00:30 2026 GMT', 30_000],
  ['Thu, 01 Jan 2026 11:00:00 GMT', 1_000],
  ['120abc', undefined],
  ['-5', undefined],
  ['1.5', undefined],
  ['2026-01-01T12:00:30Z', undefined],
  ['Thu, nonsense', undefined],
  ['', undefined],
  [undefined, undefined],
])('Retry-After %j asks for %s ms', (header, wanted) => {
  expect(retryAfterMs(header, now)).toBe(wanted);
});
