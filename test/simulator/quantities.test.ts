import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseInstant, parseTimeSpan } from '../../src/model/time.js';
import { writeInstant, writeTimeSpan } from '../../src/simulator/quantities.js';
import { simulatedVersions } from '../../src/simulator/quirks.js';
import { at } from '../support/simulator.js';

const native = { times: 'native', offsetMinutes: 180, trimFractions: true } as const;

describe('an instant', () => {
  test.each([
    ['2017-05-30T10:53:45.0679711Z', 3, native, '2017-05-30T13:53:45.0679711+03:00'],
    ['2017-05-30T10:53:45.0679711Z', 6, native, '2017-05-30T10:53:45.0679711Z'],
    ['2018-01-31T22:42:21.1916940Z', 2, native, '2018-02-01T01:42:21.191694+03:00'],
    ['2018-01-31T22:42:20.0000000Z', 8, native, '2018-01-31T22:42:20Z'],
    ['2018-01-31T22:42:20.0000000Z', 8, { ...native, trimFractions: false }, '2018-01-31T22:42:20.0000000Z'],
    ['2018-01-31T22:42:20.5000000Z', 5, { ...native, offsetMinutes: -210 }, '2018-01-31T19:12:20.5-03:30'],
    ['2018-01-31T22:42:20.5000000Z', 5, { ...native, offsetMinutes: 0 }, '2018-01-31T22:42:20.5Z'],
    ['2018-01-31T22:42:20.5000000Z', 5, { ...native, times: 'utc' }, '2018-01-31T22:42:20.5Z'],
    ['2018-01-31T22:42:20.5000000Z', 3, { ...native, times: 'bare' }, '2018-01-31T22:42:20.5'],
  ] as const)('%s is written by v%d as wanted: %j', (instant, version, style, wanted) => {
    expect(writeInstant(at(instant), version, style)).toBe(wanted);
  });

  test('can be read back, whatever the version and the zone', () => {
    const ticks = fc.bigInt({ min: 0n, max: 40_000_000_000_000_000n });
    fc.assert(
      fc.property(
        ticks,
        fc.constantFrom(...simulatedVersions),
        fc.integer({ min: -720, max: 840 }),
        (tick, version, zone) => {
          const text = writeInstant(tick * 100n, version, { ...native, offsetMinutes: zone });
          expect(parseInstant(text)).toEqual({ at: tick * 100n, offset: true });
        },
      ),
    );
  });
});

describe('a length', () => {
  test.each([
    [0n, '00:00:00'],
    [44_692_800n, '00:00:00.0446928'],
    [546_349_368_000n, '00:09:06.3493680'],
    [3_600_000_000_000n, '01:00:00'],
    [90_061_000_000_100n, '1.01:01:01.0000001'],
    [-500_000_000n, '-00:00:00.5000000'],
  ])('of %d ns is written %s', (length, wanted) => {
    expect(writeTimeSpan(length)).toBe(wanted);
  });

  test('can be read back', () => {
    fc.assert(
      fc.property(fc.bigInt({ min: -(10n ** 13n), max: 10n ** 13n }), ticks => {
        expect(parseTimeSpan(writeTimeSpan(ticks * 100n))).toBe(ticks * 100n);
      }),
    );
  });
});
