import { type Clock, systemClock } from '../../../src/kernel/clock.js';

/** The clock of this machine, but it began at another time. */
export function shiftedClock(startMs: number): Clock {
  const shiftMs = startMs - systemClock.now();
  return { ...systemClock, now: () => systemClock.now() + shiftMs };
}
