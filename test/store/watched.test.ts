import { expect, jest, test } from '@jest/globals';
import type { Store } from '../../src/pipeline/ports.js';
import { memoryStore } from '../support/memory-store.js';
import { watchedStore } from '../../src/store/watched.js';
import { counter, row } from './conformance.js';

/** A store that fails at everything; its methods need their `this`. */
class BrokenStore implements Store {
  readonly #error = new Error('the disk is full');
  state = async (): Promise<never> => this.fail();
  rows = async (): Promise<never> => this.fail();
  pending = async (): Promise<never> => this.fail();
  holders = async (): Promise<never> => this.fail();
  deadLetters = async (): Promise<never> => this.fail();
  async series(): Promise<never> {
    return this.fail();
  }
  async commit(): Promise<never> {
    return this.fail();
  }
  async close(): Promise<never> {
    return this.fail();
  }
  async fail(): Promise<never> {
    throw this.#error;
  }
}

test('a watched store answers as the store itself, and tells of nothing that works', async () => {
  const failed = jest.fn();
  const store = watchedStore(memoryStore(), failed);
  await store.commit({ server: 'hq', since: { logs: 1n }, rows: [row()], deltas: [counter(1)] });
  expect(await store.state('hq')).toEqual({ since: { logs: 1n }, facts: {} });
  expect(await store.rows('hq', ['s1'])).toEqual([row()]);
  expect(await store.pending('hq', 'metrics')).toEqual([row()]);
  expect(await store.holders('i')).toEqual([]);
  expect(await store.series()).toHaveLength(1);
  await store.close();
  expect(failed).not.toHaveBeenCalled();
});

test.each<[keyof Store, (store: Store) => Promise<unknown>]>([
  ['state', async store => store.state('hq')],
  ['rows', async store => store.rows('hq', [])],
  ['pending', async store => store.pending('hq', 'logs')],
  ['holders', async store => store.holders('i')],
  ['series', async store => store.series()],
  ['deadLetters', async store => store.deadLetters('hq')],
  ['commit', async store => store.commit({ server: 'hq' })],
  ['close', async store => store.close()],
])('it tells that "%s" failed, once, and lets the error pass', async (operation, act) => {
  const failed = jest.fn();
  await expect(act(watchedStore(new BrokenStore(), failed))).rejects.toThrow('the disk is full');
  expect(failed.mock.calls).toEqual([[operation]]);
});
