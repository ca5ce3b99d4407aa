/** How to space attempts. Times are milliseconds. */
export type Backoff = Readonly<{ baseMs: number; capMs: number }>;

/** Wait after failed attempt number `attempt` (1 for the first), full jitter: uniform in [0, min(cap, base * 2^(attempt-1))). */
export function backoffMs({ baseMs, capMs }: Backoff, attempt: number, random: () => number): number {
  return random() * Math.min(capMs, baseMs * 2 ** (attempt - 1));
}
