import type { Random } from '../kernel/clock.js';

/** How servers are spread over replicas, as one of them sees it. */
export type Holdings = Readonly<{
  /** How many servers there are. */
  servers: number;
  /** Those that this replica holds, the longest held first. */
  held: readonly string[];
  /** Those that nobody holds. */
  free: readonly string[];
  /** The other replicas that are alive, and how many servers each holds. */
  others: readonly Readonly<{ draining: boolean; servers: number }>[];
}>;

export type Move = Readonly<{
  acquire: readonly string[];
  release: readonly string[];
  /** Nothing will move until a replica or a server comes or goes. */
  settled: boolean;
}>;

/**
 * What a replica does for a fair share: below it, it acquires free servers at random, so that replicas rarely want the
 * same one; above it, it releases a tenth of what is too much, while nothing is free and another replica is below. Pure but
 * for `random`.
 */
export function nextMove({ servers, held, free, others }: Holdings, random: Random): Move {
  const staying = others.filter(({ draining }) => !draining);
  const share = Math.ceil(servers / (staying.length + 1));
  const room = Math.max(0, share - held.length);
  const tooMany = Math.max(0, held.length - share);
  const isWanted = tooMany > 0 && staying.some(other => other.servers < share);
  const isOffered = room > 0 && staying.some(other => other.servers > share);
  return {
    acquire: shuffled(free, random).slice(0, room),
    release: isWanted && free.length === 0 ? held.slice(0, Math.ceil(tooMany / 10)) : [],
    settled: free.length === 0 && !isWanted && !isOffered,
  };
}

const shuffled = (names: readonly string[], random: Random): readonly string[] =>
  names
    .map(name => ({ name, at: random() }))
    .toSorted((a, b) => a.at - b.at)
    .map(({ name }) => name);
