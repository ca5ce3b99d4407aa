import { expect, test } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { createNotify } from '../../src/kernel/notify.js';
import { settle } from '../support/fake-clock.js';

const { signal } = new AbortController();

/** Waits in the background; the result says whether the wait is over. */
function waiting(wait: Promise<void>): () => boolean {
  let over = false;
  void wait.then(() => (over = true));
  return () => over;
}

test('a notification wakes the one who waits', async () => {
  const wakeUp = createNotify();
  const over = waiting(wakeUp.wait(signal));
  await settle();
  expect(over()).toBe(false);
  wakeUp.notify();
  await settle();
  expect(over()).toBe(true);
});

test('notifications before a wait are kept, and count as one', async () => {
  const wakeUp = createNotify();
  wakeUp.notify();
  wakeUp.notify();
  await wakeUp.wait(signal);
  const over = waiting(wakeUp.wait(signal));
  await settle();
  expect(over()).toBe(false);
});

test('a notification while the one woken works is kept for the next wait', async () => {
  const wakeUp = createNotify();
  let rounds = 0;
  const loop = async (): Promise<void> => {
    while (rounds < 3) {
      await wakeUp.wait(signal);
      rounds += 1;
      wakeUp.notify();
    }
  };
  wakeUp.notify();
  await loop();
  expect(rounds).toBe(3);
});

test('an abort ends a wait with the reason of the signal, and later waits still work', async () => {
  const wakeUp = createNotify();
  const quit = new AbortController();
  const wait = wakeUp.wait(quit.signal);
  quit.abort(new Error('enough'));
  await expect(wait).rejects.toThrow('enough');
  wakeUp.notify();
  await expect(wakeUp.wait(quit.signal)).rejects.toThrow('enough');
  await wakeUp.wait(signal);
});

test('ten thousand waits leave no listener on the signal', async () => {
  const wakeUp = createNotify();
  const quit = new AbortController();
  for (let count = 0; count < 10_000; count += 1) {
    const wait = wakeUp.wait(quit.signal);
    wakeUp.notify();
    await wait;
  }
  expect(getEventListeners(quit.signal, 'abort')).toHaveLength(0);
});
