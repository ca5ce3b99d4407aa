import type { Random } from '../../src/kernel/clock.js';

/** Numbers in [0, 1) that are spread like chance and always the same (the generator of Park and Miller). */
export function chance(seed: number): Random {
  let state = seed;
  return () => {
    state = (state * 48_271) % 2_147_483_647;
    return (state - 1) / 2_147_483_646;
  };
}

/** How many of `values` lie in each of ten equal parts of [0, end). */
export function tenths(values: readonly number[], end: number): readonly number[] {
  const counts = Array.from({ length: 10 }, () => 0);
  for (const value of values) {
    const at = Math.floor((value / end) * 10);
    counts[at] = (counts[at] ?? 0) + 1;
  }
  return counts;
}
