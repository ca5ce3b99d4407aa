import { expect, test } from '@jest/globals';
import { fakeClock } from './fake-clock.js';

const { signal } = new AbortController();

test('time moves only when a test moves it, and both clocks alike', async () => {
  const clock = fakeClock(1_000);
  expect([clock.now(), clock.monotonic()]).toEqual([1_000, 0]);
  await clock.advance(250);
  expect([clock.now(), clock.monotonic()]).toEqual([1_250, 250]);
});

test('sleepers wake in order of time, those of the same time in the order they lay down', async () => {
  const clock = fakeClock();
  const woken: string[] = [];
  const nap = async (name: string, ms: number): Promise<void> => {
    await clock.sleep(ms, signal);
    woken.push(`${name} at ${String(clock.now())}`);
  };
  const naps = Promise.all([nap('c', 30), nap('a', 10), nap('b', 10)]);
  await clock.advance(29);
  expect(woken).toEqual(['a at 10', 'b at 10']);
  expect(clock.sleepers()).toBe(1);
  await clock.advance(1);
  await naps;
  expect(woken.at(-1)).toBe('c at 30');
});

test('one who sleeps again within the same advance wakes again', async () => {
  const clock = fakeClock();
  const seen: number[] = [];
  const loop = async (): Promise<void> => {
    while (seen.length < 3) {
      await clock.sleep(10, signal);
      seen.push(clock.now());
    }
  };
  const looping = loop();
  await clock.advance(100);
  await looping;
  expect(seen).toEqual([10, 20, 30]);
});

test('an abort ends a sleep with the reason of the signal', async () => {
  const clock = fakeClock();
  const quit = new AbortController();
  const sleeping = clock.sleep(10, quit.signal);
  quit.abort(new Error('enough'));
  await expect(sleeping).rejects.toThrow('enough');
  await expect(clock.sleep(10, quit.signal)).rejects.toThrow('enough');
  expect(clock.sleepers()).toBe(0);
});
