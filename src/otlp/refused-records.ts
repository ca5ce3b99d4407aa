/**
 * Remembers what a receiver has refused on its own, and whether it has taken anything else since. Only then is the
 * record to blame: a receiver, or a proxy before it, may refuse everything for a while. Ids only; forgotten on a
 * restart, which costs a few requests and decides nothing.
 */
export interface RefusedRecords {
  /** How many requests have been taken so far: what "since" is measured against. */
  mark(): number;
  has(id: string): boolean;
  /** Whether another record has been taken since this one was first refused. */
  guilty(id: string): boolean;
  /** Refused on its own, and first refused, perhaps together with others, at this mark. */
  suspect(id: string, since: number): void;
  /** The other side lives: it has taken a request. */
  lives(): void;
  clear(ids: readonly string[]): void;
}

/** More than one turn can doubt (`pipeline/worker-turn.ts`), some 2 MB. What is left of sessions long gone goes with the rest. */
const mostKept = 20_000;

export function createRefusedRecords(): RefusedRecords {
  const firstRefused = new Map<string, number>();
  let marks = 0;
  return {
    mark: () => marks,
    has: id => firstRefused.has(id),
    guilty: id => (firstRefused.get(id) ?? marks) < marks,
    suspect: (id, since) => {
      if (firstRefused.size >= mostKept) firstRefused.clear();
      if (!firstRefused.has(id)) firstRefused.set(id, since);
    },
    lives: () => void (marks += 1),
    clear: ids => {
      for (const id of ids) firstRefused.delete(id);
    },
  };
}
