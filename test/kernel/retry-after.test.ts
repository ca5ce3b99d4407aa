import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseHttpDate, parseRetryAfter } from '../../src/kernel/retry-after.js';
import { nextSkewMs } from '../../src/source/transport.js';

describe('an HTTP date', () => {
  test.each([
    ['Tue, 30 May 2017 10:57:28 GMT', Date.UTC(2017, 4, 30, 10, 57, 28)],
    ['Tue, 30 May 2017 10:57:28 CET', undefined],
    ['Tue, 99 Xyz 2017 10:57:28 GMT', undefined],
    ['2017-05-30T10:57:28Z', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('%j is %s', (header, at) => {
    expect(parseHttpDate(header)).toBe(at);
  });
});

describe('a wait that is asked for', () => {
  const now = Date.UTC(2017, 4, 30, 10, 57, 28);

  test.each([
    ['7', 7000],
    ['0', 1000],
    ['999999999999', 3_600_000],
    ['Tue, 30 May 2017 10:57:38 GMT', 10_000],
    ['Tue, 30 May 2017 10:00:00 GMT', 1000],
    ['-1', undefined],
    ['1.5', undefined],
    ['soon', undefined],
    ['', undefined],
    [undefined, undefined],
  ])('as %j is %s ms', (header, wait) => {
    expect(parseRetryAfter(header, now)).toBe(wait);
  });

  test('is never short of a second, whatever is written', () => {
    fc.assert(
      fc.property(fc.string(), header => {
        expect(parseRetryAfter(header, now) ?? 1000).toBeGreaterThanOrEqual(1000);
      }),
    );
  });
});

describe('the skew of a server clock', () => {
  test('that shows another year is taken from the first answer', () => {
    const sighting = { sentMs: 10_000, receivedMs: 10_200, dateMs: 1_010_000 };
    expect(nextSkewMs(0, sighting)).toBe(1_000_400);
  });

  test.each([-1900, -1000, 0, 500, 1000])('of %i ms is none', skew => {
    const dateMs = Math.floor((100_000 + skew) / 1000) * 1000;
    expect(nextSkewMs(0, { sentMs: 100_000, receivedMs: 100_050, dateMs })).toBe(0);
  });

  test('stays as it was found while answers, slow ones too, do not contradict it', () => {
    const found = nextSkewMs(0, { sentMs: 10_000, receivedMs: 10_200, dateMs: 1_010_000 });
    expect(nextSkewMs(found, { sentMs: 20_000, receivedMs: 80_000, dateMs: 1_080_000 })).toBe(found);
    expect(nextSkewMs(0, { sentMs: 20_000, receivedMs: 80_000, dateMs: 80_000 })).toBe(0);
  });

  test('is found again when the server was set right', () => {
    expect(nextSkewMs(1_000_400, { sentMs: 20_000, receivedMs: 20_100, dateMs: 20_000 })).toBe(0);
  });

  test('is never off by more than the half of what the answer leaves open, beyond 2 s', () => {
    const times = fc.record({
      skew: fc.integer({ min: -1e9, max: 1e9 }),
      took: fc.nat(5000),
      wrote: fc.double({ min: 0, max: 1, noNaN: true }),
    });
    fc.assert(
      fc.property(times, ({ skew, took, wrote }) => {
        const sentMs = 2e9;
        const dateMs = Math.floor((sentMs + wrote * took + skew) / 1000) * 1000;
        const error = Math.abs(nextSkewMs(0, { sentMs, receivedMs: sentMs + took, dateMs }) - skew);
        expect(error).toBeLessThanOrEqual(Math.max(2000 + (took + 1000) / 2, took + 1000));
      }),
    );
  });
});
