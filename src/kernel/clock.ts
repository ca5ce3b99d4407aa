import { setTimeout as sleep } from 'node:timers/promises';

/** The only source of time. Tests pass a fake; nothing else may read a clock. */
export interface Clock {
  /** Wall-clock time in milliseconds since the Unix epoch, UTC. May jump; never subtract two readings. */
  now(): number;
  /** Milliseconds from an arbitrary origin; never goes back. Only differences are meaningful. */
  monotonic(): number;
  /**
   * Waits `ms` milliseconds.
   * @throws the signal's reason, at once, when `signal` aborts.
   */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => sleep(ms, undefined, { signal }),
};

/** A number in [0, 1), like `Math.random`; a parameter so that tests can choose it. */
export type Random = () => number;

export const systemRandom: Random = () => Math.random();

/** Resolves when `work` has ended, with or without success, or after `ms` milliseconds of real time. */
export async function endedOrLate(work: Promise<unknown>, ms: number): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = alarm(ms, resolve);
  void work.catch(() => undefined).then(() => resolve());
  await promise.finally(cancel);
}

/** Calls `act` after `ms` milliseconds of real time, unless the returned function cancels it. Does not keep the process alive. */
export function alarm(ms: number, act: () => void): () => void {
  const timer = setTimeout(act, ms).unref();
  return () => clearTimeout(timer);
}

/** Resolves in the next turn of the event loop: requests and timers that are due come first. */
export const nextTurn = async (): Promise<void> => {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  return promise;
};
