import { setImmediate as immediate } from 'node:timers/promises';
import type { Clock } from '../../src/kernel/clock.js';

/** A clock that stands still until a test moves it. */
export interface FakeClock extends Clock {
  /** Lets `ms` milliseconds pass: wakes who is due, in order of time, each with what follows from it done before the next. */
  advance(ms: number): Promise<void>;
  /** How many sleep now. */
  sleepers(): number;
}

type Sleeper = Readonly<{ dueMs: number; wake: () => void }>;

/** Wall clock at `startMs`; the monotonic clock begins at 0. */
export function fakeClock(startMs = 0): FakeClock {
  const sleepers = new Set<Sleeper>();
  let elapsedMs = 0;
  return {
    now: () => startMs + elapsedMs,
    monotonic: () => elapsedMs,
    sleepers: () => sleepers.size,
    sleep: async (ms, signal) => sleepUntil(sleepers, elapsedMs + ms, signal),
    advance: async ms => {
      const endMs = elapsedMs + ms;
      await settle();
      for (let next = earliest(sleepers, endMs); next !== undefined; next = earliest(sleepers, endMs)) {
        elapsedMs = Math.max(elapsedMs, next.dueMs);
        next.wake();
        await settle();
      }
      elapsedMs = endMs;
    },
  };
}

/** Lets chains of promises run until they wait for something from outside. */
export async function settle(): Promise<void> {
  for (let count = 0; count < 5; count += 1) await immediate();
}

function earliest(sleepers: ReadonlySet<Sleeper>, endMs: number): Sleeper | undefined {
  return [...sleepers].filter(({ dueMs }) => dueMs <= endMs).sort((a, b) => a.dueMs - b.dueMs)[0];
}

async function sleepUntil(sleepers: Set<Sleeper>, dueMs: number, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<undefined>();
  const sleeper = {
    dueMs,
    wake: () => {
      sleepers.delete(sleeper);
      resolve(undefined);
    },
  };
  const abort = (): void => {
    sleepers.delete(sleeper);
    reject(signal.reason);
  };
  sleepers.add(sleeper);
  signal.addEventListener('abort', abort, { once: true });
  await promise.finally(() => {
    signal.removeEventListener('abort', abort);
  });
}
