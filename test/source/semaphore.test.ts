import { describe, expect, test } from '@jest/globals';
import { createSemaphore } from '../../src/kernel/semaphore.js';
import { settle } from '../support/fake-clock.js';
import type { Reply } from '../support/scripted-server.js';
import { bench, type Extras, never, type Rig } from '../support/source-rig.js';

const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const page = (): Reply => ({ json: { offset: 0, limit: 1000, results: [] } });

const { begin } = bench();

const read = async ({ source }: Rig): Promise<unknown> => source.events(id, 0, never);

/** A server that answers a read when `reply` is called. */
async function beginSlow(extras: Extras) {
  const { promise: asked, resolve: arrived } = Promise.withResolvers<undefined>();
  const { promise: answer, resolve: reply } = Promise.withResolvers<Reply>();
  const slow = await begin(async () => {
    arrived(undefined);
    return answer;
  }, extras);
  return { slow, asked, reply };
}

describe('the semaphore', () => {
  test('gets its place back from a request that is not answered, which goes on', async () => {
    const semaphore = createSemaphore(1);
    const { slow, asked, reply } = await beginSlow({ semaphore, semaphoreHoldMs: 50 });
    const quick = await begin(() => page(), { semaphore });
    const slowly = read(slow);
    await asked;
    await expect(read(quick)).resolves.toMatchObject({ rows: [] });
    expect(slow.observed).toEqual(['token 2xx']);
    reply(page());
    await expect(slowly).resolves.toMatchObject({ rows: [] });
    // The place was given back once: with room for one, there is room for one.
    const leave = await semaphore.acquire(never);
    const second = new AbortController();
    const next = semaphore.acquire(second.signal);
    second.abort(new Error('no room'));
    await expect(next).rejects.toThrow('no room');
    leave();
  });

  test('keeps the others waiting while a request may still be answered in time', async () => {
    const semaphore = createSemaphore(1);
    const { slow, asked, reply } = await beginSlow({ semaphore });
    const quick = await begin(() => page(), { semaphore });
    const slowly = read(slow);
    await asked;
    const behind = read(quick);
    await settle();
    expect(quick.observed).toEqual([]);
    reply(page());
    await Promise.all([slowly, behind]);
  });
});
