import { describe, expect, test } from '@jest/globals';
import { backoffMs } from '../../src/kernel/backoff.js';
import { alarm, systemClock, systemRandom } from '../../src/kernel/clock.js';

describe('a backoff', () => {
  test.each([
    [1, 50],
    [2, 100],
    [3, 125],
    [50, 125],
    [5000, 125],
  ])('waits after attempt %i for %i ms when chance says one half', (attempt, wait) => {
    expect(backoffMs({ baseMs: 100, capMs: 250 }, attempt, () => 0.5)).toBe(wait);
  });

  test('may wait not at all, and never as long as its cap', () => {
    expect(backoffMs({ baseMs: 100, capMs: 250 }, 9, () => 0)).toBe(0);
    expect(backoffMs({ baseMs: 100, capMs: 250 }, 9, () => 0.999_999)).toBeLessThan(250);
  });
});

describe('the system', () => {
  test('has a clock that goes forward', async () => {
    const before = systemClock.monotonic();
    await systemClock.sleep(1, new AbortController().signal);
    expect(systemClock.monotonic()).toBeGreaterThan(before);
    expect(systemClock.now()).toBeGreaterThan(1_700_000_000_000);
  });

  test('wakes a sleeper at once on an abort', async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(1_000_000, stop.signal);
    stop.abort();
    await expect(sleeping).rejects.toMatchObject({ name: 'AbortError' });
  });

  test('has chance in [0, 1)', () => {
    const number = systemRandom();
    expect(number >= 0 && number < 1).toBe(true);
  });
});

/** How many timers keep the process awake. */
const timers = (): number => process.getActiveResourcesInfo().filter(what => what === 'Timeout').length;

test('an alarm does not keep the process awake', () => {
  const before = timers();
  const callOff = alarm(60_000, () => undefined);
  expect(timers()).toBe(before);
  callOff();
});

test('an alarm goes off unless it is cancelled', async () => {
  const rung: string[] = [];
  const callOff = alarm(1, () => rung.push('called off'));
  callOff();
  await new Promise<void>(resolve => {
    // Keeps the process awake, which an alarm does not.
    const awake = new AbortController();
    void systemClock.sleep(60_000, awake.signal).catch(() => resolve());
    alarm(2, () => {
      rung.push('rang');
      awake.abort();
    });
  });
  expect(rung).toEqual(['rang']);
});
