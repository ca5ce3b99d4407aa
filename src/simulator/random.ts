import type { Random } from '../kernel/clock.js';

/** Mixes whole numbers into one of 32 bits, well spread (the finalizer of MurmurHash3). Not for secrets. */
export function hash(...keys: readonly number[]): number {
  let bits = 0x9e3779b9;
  for (const key of keys) {
    bits = Math.imul(bits ^ key, 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    bits ^= bits >>> 16;
  }
  return bits >>> 0;
}

/** A stream of numbers in [0, 1) that is the same for the same keys (Mulberry32). */
export function dice(...keys: readonly number[]): Random {
  let state = hash(...keys);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), state | 1);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), bits | 61)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * The UUID that belongs to these keys, in the form of a random one (version 4), lower case. The salts come first:
 * two key lists that fall together under one salt do not under the next, so a million ids do not collide.
 */
export function uuidOf(...keys: readonly number[]): string {
  const hex = [1, 2, 3, 4]
    .map(salt =>
      hash(salt, ...keys)
        .toString(16)
        .padStart(8, '0'),
    )
    .join('');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 3) | 8).toString(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${variant}${hex.slice(17, 20)}-${hex.slice(20)}`;
}

/** A list that has a first element, so that one can always be picked. */
export type Some<T> = readonly [T, ...T[]];

/** One of the list, each as likely. */
export function pick<T>(random: Random, list: Some<T>): T {
  return list[Math.floor(random() * list.length)] ?? list[0];
}

/** A whole number from `low` to `high`, both included. */
export function between(random: Random, low: number, high: number): number {
  return low + Math.floor(random() * (high - low + 1));
}

/** One of the list, as likely as its weight says. Weights are positive and need not add up to anything. */
export function weighted<T>(random: Random, list: Some<readonly [T, number]>): T {
  let left = random() * list.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of list) {
    left -= weight;
    if (left < 0) return value;
  }
  return list[0][0];
}
