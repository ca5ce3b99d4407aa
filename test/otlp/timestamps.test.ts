import { describe, expect, test } from '@jest/globals';
import { seconds } from '../../src/model/time.js';
import { stampWithin } from '../../src/otlp/logs-sink.js';

const now = seconds(100_000);
const fresh = () => stampWithin({ maxAge: undefined, maxBehind: seconds(60), maxAhead: undefined });
const ago = (count: number) => now - seconds(count);

test('without limits every record keeps its own time', () => {
  const stamp = stampWithin({ maxAge: undefined, maxBehind: undefined, maxAhead: undefined });
  expect([0n, ago(1), now + 1n].map(at => stamp(at, now))).toEqual([0n, ago(1), now + 1n]);
});

test('a record whose time OTLP cannot hold gets the time of sending', () => {
  const stamp = stampWithin({ maxAge: undefined, maxBehind: undefined, maxAhead: undefined });
  expect([-1n, 2n ** 63n, 2n ** 63n - 1n].map(at => stamp(at, now))).toEqual([now, now, 2n ** 63n - 1n]);
});

test('a record that is further ahead of the clock than allowed gets the time of sending', () => {
  const stamp = stampWithin({ maxAge: undefined, maxBehind: undefined, maxAhead: seconds(60) });
  const minute = now + seconds(60);
  expect([minute, minute + 1n, now + seconds(1200)].map(at => stamp(at, now))).toEqual([minute, now, now]);
});

test('a record that is older than allowed gets the time of sending', () => {
  const stamp = stampWithin({ maxAge: seconds(60), maxBehind: undefined, maxAhead: undefined });
  expect([ago(60), ago(60) - 1n].map(at => stamp(at, now))).toEqual([ago(60), now]);
});

describe('a record that is too far behind the newest', () => {
  test('gets the time of sending; what an earlier process sent counts as new', () => {
    expect([ago(61), ago(60)].map(at => fresh()(at, now))).toEqual([now, ago(60)]);
  });

  test('is compared with what was sent, not with the clock', () => {
    const stamp = fresh();
    stamp(now, now);
    const later = now + seconds(1_000);
    expect([now + seconds(10), now - seconds(49), now - seconds(51)].map(at => stamp(at, later))).toEqual([
      now + seconds(10),
      now - seconds(49),
      later,
    ]);
  });

  test('does not result from an event in the future', () => {
    const stamp = fresh();
    stamp(now + seconds(1_000_000), now);
    expect(stamp(ago(1), now)).toBe(ago(1));
  });
});
