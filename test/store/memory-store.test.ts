import { describe } from '@jest/globals';
import { memoryStore } from '../support/memory-store.js';
import { storeConformance } from './conformance.js';

describe('the store in memory', () => {
  storeConformance(async () => memoryStore());
});
