import type { Nanos } from '../model/time.js';

/** What a backend takes: how old a record may be, and how far behind the newest one. Undefined: no limit. */
export type TimeLimits = Readonly<{ maxAge: Nanos | undefined; maxBehind: Nanos | undefined }>;

/** Gives each record the time that it bears. */
export type Stamp = (at: Nanos, now: Nanos) => Nanos;

/**
 * A record that is older than the limits allow bears the time of sending. What a backend got from the process before us
 * is not known: its newest is taken to be of the moment we began, which is never too old a guess.
 */
export function stampWithin({ maxAge, maxBehind }: TimeLimits): Stamp {
  let newest: Nanos | undefined;
  return (at, now) => {
    newest ??= now;
    const isOld = maxAge !== undefined && now - at > maxAge;
    const isBehind = maxBehind !== undefined && newest - at > maxBehind;
    if (!isOld && !isBehind) {
      if (at > newest && at <= now) newest = at;
      return at;
    }
    newest = now;
    return now;
  };
}
