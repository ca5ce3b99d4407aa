import { unlessAborted } from './linked-abort.js';

/** Wakes a loop. A notification without a waiter is kept for the next one; several count as one. */
export interface Notify {
  notify(): void;
  /**
   * Resolves at the next notification, at once when there was one since the last wait. For one waiter at a time.
   * @throws the signal's reason as soon as `signal` aborts.
   */
  wait(signal: AbortSignal): Promise<void>;
}

export function createNotify(): Notify {
  let notified = false;
  let wake: (() => void) | undefined;
  return {
    notify: () => {
      notified = true;
      wake?.();
    },
    wait: async signal => {
      signal.throwIfAborted();
      const { promise, resolve } = Promise.withResolvers<void>();
      wake = resolve;
      if (!notified) await unlessAborted(promise, signal);
      notified = false;
    },
  };
}
