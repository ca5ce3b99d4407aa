import { describe, expect, test } from '@jest/globals';
import { seconds } from '../../src/model/time.js';
import { stampWithin } from '../../src/otlp/record-time.js';

const now = seconds(100_000);
const fresh = () => stampWithin({ maxAge: undefined, maxBehind: seconds(60) });
const ago = (count: number) => now - seconds(count);

test('without limits every record bears its own time', () => {
  const stamp = stampWithin({ maxAge: undefined, maxBehind: undefined });
  expect([0n, ago(1), now + 1n].map(at => stamp(at, now))).toEqual([0n, ago(1), now + 1n]);
});

test('a record that is older than allowed bears the time of sending', () => {
  const stamp = stampWithin({ maxAge: seconds(60), maxBehind: undefined });
  expect([ago(60), ago(60) - 1n].map(at => stamp(at, now))).toEqual([ago(60), now]);
});

describe('a record that is too far behind the newest', () => {
  test('bears the time of sending, and what the process before us sent counts as new', () => {
    expect([ago(61), ago(60)].map(at => fresh()(at, now))).toEqual([now, ago(60)]);
  });

  test('is measured against what was sent, not against the clock', () => {
    const stamp = fresh();
    stamp(now, now);
    const later = now + seconds(1_000);
    expect([now + seconds(10), now - seconds(49), now - seconds(51)].map(at => stamp(at, later))).toEqual([
      now + seconds(10),
      now - seconds(49),
      later,
    ]);
  });

  test('is not made by an event of the future', () => {
    const stamp = fresh();
    stamp(now + seconds(1_000_000), now);
    expect(stamp(ago(1), now)).toBe(ago(1));
  });
});
