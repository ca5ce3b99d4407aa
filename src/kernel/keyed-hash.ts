import { createHmac, createSecretKey } from 'node:crypto';

/** Minimum length of a key in bytes: a shorter one can be guessed. */
export const leastKeyBytes = 16;

/**
 * HMAC-SHA256 of a text, its first 128 bits as `hmac:` and 32 hexadecimal digits. Without the key it can neither be
 * reversed nor be matched against guesses.
 */
export function keyedHash(key: Uint8Array): (text: string) => string {
  const secret = createSecretKey(key);
  return text => `hmac:${createHmac('sha256', secret).update(text, 'utf8').digest('hex').slice(0, 32)}`;
}
