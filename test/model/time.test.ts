import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { formatInstant, milliseconds, parseInstant, parseTimeSpan, seconds, toSeconds } from '../../src/model/time.js';

describe('an instant of the API', () => {
  test.each([
    ['1970-01-01T00:00:00Z', 0n],
    ['2017-05-30T13:57:28.0869607+03:00', 1_496_141_848_086_960_700n],
    ['2017-05-30T13:57:28.0422679+03:00', 1_496_141_848_042_267_900n],
    ['2017-06-29T12:19:20.9466476Z', 1_498_738_760_946_647_600n],
    ['2022-02-02T15:59:09.7680229Z', 1_643_817_549_768_022_900n],
    ['2018-07-24T10:42:21.191694Z', 1_532_428_941_191_694_000n],
    ['2022-02-02T15:59:09Z', 1_643_817_549_000_000_000n],
    ['2022-02-02T15:59:09.7Z', 1_643_817_549_700_000_000n],
    ['2022-02-02T15:59:09.07Z', 1_643_817_549_070_000_000n],
    ['2022-02-02T15:59:09.007Z', 1_643_817_549_007_000_000n],
    ['2022-02-02T15:59:09.0007Z', 1_643_817_549_000_700_000n],
    ['2022-02-02T15:59:09.00007Z', 1_643_817_549_000_070_000n],
    ['2022-02-02T15:59:09.0000007Z', 1_643_817_549_000_000_700n],
    ['2024-02-29T23:59:59.9999999-12:00', 1_709_294_399_999_999_900n],
    ['2000-02-29T00:00:00Z', 951_782_400_000_000_000n],
    ['1969-12-31T23:59:59.9999999Z', -100n],
    ['1601-01-01T00:00:00Z', -11_644_473_600_000_000_000n],
    ['2021-03-28T02:30:00+05:45', 1_616_877_900_000_000_000n],
  ])('%s is %d ns after the epoch', (text, at) => {
    expect(parseInstant(text)).toEqual({ at, offset: true });
  });

  test('without an offset is taken as UTC, and says so', () => {
    expect(parseInstant('2017-05-30T13:57:28.04')).toEqual({ at: 1_496_152_648_040_000_000n, offset: false });
  });

  test.each([
    '',
    'now',
    '2022-02-02',
    '2022-02-02 15:59:09Z',
    '2022-02-02T15:59Z',
    '2022-02-02T15:59:09.Z',
    '2022-02-02T15:59:09.0123456789Z',
    '2022-02-02T15:59:09+0300',
    ' 2022-02-02T15:59:09Z',
    '2022-02-02T15:59:09Z\n',
    '2022-13-01T00:00:00Z',
    '2022-00-01T00:00:00Z',
    '2022-04-31T00:00:00Z',
    '2022-01-00T00:00:00Z',
    '2023-02-29T00:00:00Z',
    '1900-02-29T00:00:00Z',
    '2022-01-01T24:00:00Z',
    '2022-01-01T00:60:00Z',
    '2022-01-01T00:00:60Z',
    '2022-01-01T00:00:00+15:00',
    '2022-01-01T00:00:00+01:60',
  ])('%j is none', text => {
    expect(parseInstant(text)).toBeUndefined();
  });

  test('is written in UTC with seven digits', () => {
    expect(formatInstant(1_496_141_848_086_960_700n)).toBe('2017-05-30T10:57:28.0869607Z');
    expect(formatInstant(-1n)).toBe('1969-12-31T23:59:59.9999999Z');
    expect(formatInstant(0n)).toBe('1970-01-01T00:00:00.0000000Z');
  });

  test('comes back from its text to the tick', () => {
    const ticks = fc.bigInt({ min: -621_355_968_000_000_000n, max: 2_534_023_007_999_999_999n });
    fc.assert(
      fc.property(ticks, tick => {
        expect(parseInstant(formatInstant(tick * 100n))).toEqual({ at: tick * 100n, offset: true });
      }),
    );
  });

  test('means the same to a Date, as far as a Date is precise', () => {
    fc.assert(
      fc.property(fc.date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true }), date => {
        expect(parseInstant(date.toISOString())?.at).toBe(milliseconds(date.getTime()));
      }),
    );
  });
});

describe('a TimeSpan of the API', () => {
  test.each([
    ['00:00:00', 0n],
    ['00:00:00.0446928', 44_692_800n],
    ['00:09:06.3493680', 546_349_368_000n],
    ['23:59:59.9999999', 86_399_999_999_900n],
    ['1.02:03:04.5', 93_784_500_000_000n],
    ['10675199.02:48:05.4775807', 922_337_203_685_477_580_700n],
    ['-00:00:01', -1_000_000_000n],
    ['-20055.12:13:39', -1_732_796_019_000_000_000n],
  ])('%s is %d ns', (text, length) => {
    expect(parseTimeSpan(text)).toBe(length);
  });

  test.each([
    '',
    '0',
    '5',
    '00:00',
    '24:00:00',
    '00:60:00',
    '00:00:60',
    '1:2:3',
    '+00:00:01',
    '00:00:00.',
    '1 00:00:00',
  ])('%j is none', text => {
    expect(parseTimeSpan(text)).toBeUndefined();
  });
});

describe('lengths', () => {
  test('go from seconds and milliseconds to nanoseconds and back', () => {
    expect(seconds(0.0446928)).toBe(44_692_800n);
    expect(milliseconds(1500)).toBe(1_500_000_000n);
    expect(toSeconds(44_692_800n)).toBe(0.0446928);
    expect(toSeconds(1_496_141_848_086_960_700n)).toBeCloseTo(1_496_141_848.086_961, 5);
    expect(toSeconds(-1_500_000_000n)).toBe(-1.5);
  });
});
