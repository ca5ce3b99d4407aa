import { ExporterError } from '../../src/kernel/errors.js';
import type { Store } from '../../src/pipeline/ports.js';
import { memoryStore } from './memory-store.js';

/** A store in memory that takes nothing while its disk is full. */
export function fullDisk(): Readonly<{ store: Store; fill: (full: boolean) => void }> {
  const inner = memoryStore();
  let isFull = false;
  const store: Store = {
    ...inner,
    commit: async change => {
      if (isFull) throw new ExporterError('store', 'The disk is full');
      await inner.commit(change);
    },
  };
  return {
    store,
    fill: full => {
      isFull = full;
    },
  };
}
