import { describe, expect, test } from '@jest/globals';
import { createSemaphore } from '../../src/kernel/semaphore.js';
import { settle } from '../support/fake-clock.js';

const never = new AbortController().signal;

describe('a gate', () => {
  test('lets in as many as there is room for, and the others in the order in which they came', async () => {
    const semaphore = createSemaphore(2);
    const came: string[] = [];
    const enter = async (name: string) => {
      const leave = await semaphore.acquire(never);
      came.push(name);
      return leave;
    };
    const [first, second] = [await enter('a'), await enter('b')];
    const third = enter('c');
    const fourth = enter('d');
    await settle();
    expect(came).toEqual(['a', 'b']);
    first();
    first();
    await settle();
    expect(came).toEqual(['a', 'b', 'c']);
    second();
    (await third)();
    (await fourth)();
    expect(came).toEqual(['a', 'b', 'c', 'd']);
  });

  test('lets nobody slip in between one who leaves and the next', async () => {
    const semaphore = createSemaphore(1);
    const leave = await semaphore.acquire(never);
    let inside = 0;
    const enter = async (): Promise<void> => {
      const out = await semaphore.acquire(never);
      inside += 1;
      expect(inside).toBe(1);
      await settle();
      inside -= 1;
      out();
    };
    const waiting = enter();
    leave();
    await Promise.all([waiting, enter(), enter()]);
  });

  test('forgets who gives up waiting', async () => {
    const semaphore = createSemaphore(1);
    const leave = await semaphore.acquire(never);
    const giveUp = new AbortController();
    const gone = semaphore.acquire(giveUp.signal);
    const next = semaphore.acquire(never);
    giveUp.abort(new Error('enough'));
    await expect(gone).rejects.toThrow('enough');
    await expect(semaphore.acquire(giveUp.signal)).rejects.toThrow('enough');
    leave();
    (await next)();
    (await semaphore.acquire(never))();
  });
});
