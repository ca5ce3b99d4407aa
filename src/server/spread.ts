import type { Random } from '../kernel/clock.js';

/** The more servers there are, the further apart they begin, so that their turns do not all come at once for ever. */
const spreadMs = 100;

/**
 * How long a server waits before its first turn, in ms: a lone one begins at once; others somewhere within the spread
 * of all, or their own interval if that is shorter.
 */
export const startAfterMs = (pollIntervalMs: number, servers: number, random: Random): number =>
  servers === 1 ? 0 : random() * Math.min(pollIntervalMs, servers * spreadMs);
