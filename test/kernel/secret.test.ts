import { expect, test } from '@jest/globals';
import { format, inspect } from 'node:util';
import { Secret } from '../../src/kernel/secret.js';

const secret = new Secret('canary');

test('a secret reveals itself to who asks for it', () => {
  expect(secret.reveal()).toBe('canary');
});

test('secrets are equal when they hold the same', () => {
  expect(secret.equals(new Secret('canary'))).toBe(true);
  expect(secret.equals(new Secret('Canary'))).toBe(false);
});

test('a secret never prints', () => {
  // oxlint-disable-next-line typescript/restrict-template-expressions -- printing it is what is tried
  const printed = [String(secret), `${secret}`, JSON.stringify({ secret }), inspect({ secret }, { showHidden: true })];
  const formatted = ['%s', '%o', '%O', '%j'].map(pattern => format(pattern, secret));
  for (const text of [
    ...printed,
    ...formatted,
    Object.values(secret).join(''),
    JSON.stringify(structuredClone(secret)),
  ])
    expect(text).not.toContain('canary');
  expect(String(secret)).toBe('[redacted]');
});
