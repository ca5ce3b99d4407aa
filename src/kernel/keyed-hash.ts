import { createHmac, createSecretKey } from 'node:crypto';

/** The least length of a key, in bytes: a shorter one can be found by trying. */
export const leastKeyBytes = 16;

/**
 * HMAC-SHA256 of a text, its first 128 bits as `hmac:` and 32 hexadecimal digits. Who lacks the key can neither undo it
 * nor find a text by hashing guesses; who has it can.
 */
export function keyedHash(key: Uint8Array): (text: string) => string {
  const secret = createSecretKey(key);
  return text => `hmac:${createHmac('sha256', secret).update(text, 'utf8').digest('hex').slice(0, 32)}`;
}
