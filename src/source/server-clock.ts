/** When one of our requests was sent and its answer's headers had come, and what the server's `Date` said. Epoch ms. */
export type Sighting = Readonly<{ sentMs: number; receivedMs: number; dateMs: number }>;

/** Clocks that differ by less are called equal: a `Date` has a resolution of 1 s, and may be written a little early. */
const toleranceMs = 2000;

/**
 * How far the server's clock is ahead of ours in ms, after a sighting, when it was thought to be `skewMs` before.
 * A sighting allows a range: the server wrote its `Date`, cut to the second, at some time while the request ran. What
 * was thought stays while it lies in that range, so that a slow answer spoils nothing; else it is the middle.
 */
export function nextSkewMs(skewMs: number, { sentMs, receivedMs, dateMs }: Sighting): number {
  const least = dateMs - receivedMs;
  const most = dateMs + 1000 - sentMs;
  if (skewMs >= least && skewMs <= most) return skewMs;
  const middle = (least + most) / 2;
  return Math.abs(middle) <= toleranceMs ? 0 : middle;
}
