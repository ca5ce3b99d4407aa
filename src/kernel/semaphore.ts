/** Limits concurrency, first come, first served. */
export interface Semaphore {
  /**
   * Waits for a permit and resolves with the function that releases it; calling that twice does nothing.
   * @throws the signal's reason as soon as `signal` aborts; a waiter that gave up delays nobody.
   */
  acquire(signal: AbortSignal): Promise<() => void>;
}

export function createSemaphore(permits: number): Semaphore {
  const waiting = new Set<() => void>();
  let held = 0;
  /** A permit is handed to the first waiter, not returned: no newcomer gets in between. */
  const release = (): void => {
    const [next] = waiting;
    if (next === undefined) held -= 1;
    else waiting.delete(next);
    next?.();
  };
  return {
    acquire: async signal => {
      signal.throwIfAborted();
      if (held < permits) held += 1;
      else await permitOrAbort(waiting, signal);
      let released = false;
      return () => {
        if (!released) release();
        released = true;
      };
    },
  };
}

/** Both ways out leave the queue at once: a permit handed to a waiter that has given up would be lost. */
async function permitOrAbort(waiting: Set<() => void>, signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const giveUp = (): void => {
    waiting.delete(resolve);
    reject(signal.reason);
  };
  signal.addEventListener('abort', giveUp, { once: true });
  waiting.add(resolve);
  await promise.finally(() => signal.removeEventListener('abort', giveUp));
}
