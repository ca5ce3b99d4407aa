import { setTimeout as pause } from 'node:timers/promises';
import { systemClock } from '../../src/kernel/clock.js';

/** Long enough that looking takes no time from what is looked at. */
const betweenLooks = async (): Promise<void> => pause(20);

/** Waits until `holds` does, looking again after each `wait`; fails after `withinMs`. */
export async function until(
  holds: () => Promise<boolean> | boolean,
  withinMs = 30_000,
  wait = betweenLooks,
): Promise<void> {
  const giveUpAt = systemClock.monotonic() + withinMs;
  while (!(await holds())) {
    if (systemClock.monotonic() > giveUpAt) throw new Error(`Not within ${String(withinMs)} ms: ${holds.toString()}`);
    await wait();
  }
}
