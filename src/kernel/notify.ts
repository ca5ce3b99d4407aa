/** Wakes a loop: a ring while nobody waits is kept for the next one who does, so that no wake-up is lost. */
export interface Notify {
  notify(): void;
  /**
   * Resolves at the next ring, at once when it has rung since the last wait. One waits at a time.
   * @throws the signal's reason, at once, when `signal` aborts.
   */
  wait(signal: AbortSignal): Promise<void>;
}

export function createNotify(): Notify {
  let rung = false;
  let wake: (() => void) | undefined;
  return {
    notify: () => {
      rung = true;
      wake?.();
    },
    wait: async signal => {
      signal.throwIfAborted();
      if (!rung) await ringOrAbort(signal, resume => (wake = resume));
      rung = false;
    },
  };
}

async function ringOrAbort(signal: AbortSignal, onRing: (resume: () => void) => void): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const abort = (): void => {
    reject(signal.reason);
  };
  signal.addEventListener('abort', abort, { once: true });
  onRing(() => {
    resolve(undefined);
  });
  try {
    await promise;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
