import { describe } from '@jest/globals';
import { memoryStore } from '../../src/store/memory.js';
import { storeConformance } from './conformance.js';

describe('the store in memory', () => {
  storeConformance(async () => memoryStore());
});
