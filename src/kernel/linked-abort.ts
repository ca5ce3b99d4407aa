/** A way to stop something, which others can stop as well. */
export type LinkedAbort = Readonly<{
  /** Aborts when one of the others does, or when told to. */
  signal: AbortSignal;
  now: () => void;
  /** Lets go of the others; to be called when there is nothing left to stop. */
  release: () => void;
}>;

/**
 * Ends with any of `others`. What `AbortSignal.any` does, for things that are short and many: that, and
 * `AbortSignal.timeout`, whose timers nobody can call off, took a fifth of the CPU time of a request.
 */
export function linkAbort(others: readonly AbortSignal[]): LinkedAbort {
  const own = new AbortController();
  const now = (): void => own.abort();
  if (others.some(({ aborted }) => aborted)) now();
  for (const other of others) other.addEventListener('abort', now, { once: true });
  return {
    signal: own.signal,
    now,
    release: () => {
      for (const other of others) other.removeEventListener('abort', now);
    },
  };
}

/** Waits for `work`, and rejects with the signal's reason as soon as `signal` aborts. The work itself goes on. */
export async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(signal.reason);
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', giveUp));
}
