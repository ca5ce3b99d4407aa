/** An abort controller linked to other signals. */
export type LinkedAbort = Readonly<{
  /** Aborts when one of the other signals does, or by `now`. */
  signal: AbortSignal;
  now: () => void;
  /** Removes the listeners from the other signals; call it when the work is done. */
  release: () => void;
}>;

/**
 * Does what `AbortSignal.any` does, for many short pieces of work: `any`, and `AbortSignal.timeout` with its timers that
 * cannot be cancelled, took a fifth of the CPU time of a request.
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
