import { expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { Secret } from '../../src/kernel/secret.js';

test('a secret shows itself only where it is asked to', () => {
  const secret = new Secret('hunter2');
  const error = new Error('failed', { cause: { secret } });
  const shown = [String(secret), JSON.stringify({ secret }), inspect({ secret }), inspect(error), inspect(secret)];
  for (const text of shown) expect(text).not.toContain('hunter2');
  expect(secret.reveal()).toBe('hunter2');
});
