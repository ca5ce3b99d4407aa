/** Lets so many in at a time, first come, first served. */
export interface Semaphore {
  /**
   * Resolves, once there is room, with what gives the place back; giving it back again does nothing.
   * @throws the signal's reason, at once, when `signal` aborts; whoever gave up waiting holds nobody up.
   */
  acquire(signal: AbortSignal): Promise<() => void>;
}

/** A gate with room for `limit`; with room for one it is a lock. */
export function createSemaphore(limit: number): Semaphore {
  const waiting = new Set<() => void>();
  let inside = 0;
  /** A place is handed on, not given back and taken again: nobody slips in between. */
  const leave = (): void => {
    const next = waiting.values().next();
    if (next.done === true) inside -= 1;
    else next.value();
  };
  return {
    acquire: async signal => {
      signal.throwIfAborted();
      if (inside < limit) inside += 1;
      else await placeOrAbort(waiting, signal);
      return once(leave);
    },
  };
}

async function placeOrAbort(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const come = (): void => {
    waiting.delete(come);
    resolve(undefined);
  };
  const giveUp = (): void => {
    waiting.delete(come);
    reject(signal.reason);
  };
  signal.addEventListener('abort', giveUp, { once: true });
  waiting.add(come);
  await promise.finally(() => signal.removeEventListener('abort', giveUp));
}

function once(action: () => void): () => void {
  let done = false;
  return () => {
    if (!done) action();
    done = true;
  };
}
