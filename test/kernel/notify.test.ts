import { expect, test } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { createBell } from '../../src/kernel/notify.js';
import { settle } from '../support/fake-clock.js';

const { signal } = new AbortController();

/** Waits in the background; the answer tells whether the wait is over. */
function waiting(wait: Promise<void>): () => boolean {
  let over = false;
  void wait.then(() => (over = true));
  return () => over;
}

test('a ring wakes the one who waits', async () => {
  const bell = createBell();
  const over = waiting(bell.wait(signal));
  await settle();
  expect(over()).toBe(false);
  bell.ring();
  await settle();
  expect(over()).toBe(true);
});

test('rings before a wait are kept, and are worth one', async () => {
  const bell = createBell();
  bell.ring();
  bell.ring();
  await bell.wait(signal);
  const over = waiting(bell.wait(signal));
  await settle();
  expect(over()).toBe(false);
});

test('a ring while the one woken works is kept for the next wait', async () => {
  const bell = createBell();
  let rounds = 0;
  const loop = async (): Promise<void> => {
    while (rounds < 3) {
      await bell.wait(signal);
      rounds += 1;
      bell.ring();
    }
  };
  bell.ring();
  await loop();
  expect(rounds).toBe(3);
});

test('an abort ends a wait with the reason of the signal, and the bell still works', async () => {
  const bell = createBell();
  const quit = new AbortController();
  const wait = bell.wait(quit.signal);
  quit.abort(new Error('enough'));
  await expect(wait).rejects.toThrow('enough');
  bell.ring();
  await expect(bell.wait(quit.signal)).rejects.toThrow('enough');
  await bell.wait(signal);
});

test('ten thousand waits leave no listener on the signal', async () => {
  const bell = createBell();
  const quit = new AbortController();
  for (let count = 0; count < 10_000; count += 1) {
    const wait = bell.wait(quit.signal);
    bell.ring();
    await wait;
  }
  expect(getEventListeners(quit.signal, 'abort')).toHaveLength(0);
});
