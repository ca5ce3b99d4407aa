import type { Store } from '../pipeline/ports.js';

/** Operations of the store, by the names of its port. */
export const stateOperations = [
  'state',
  'rows',
  'pending',
  'holders',
  'series',
  'commit',
  'close',
] as const satisfies readonly (keyof Store)[];
