import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { ExporterError } from '../kernel/errors.js';
import type { Notify } from '../kernel/notify.js';
import type { DeliveryReport } from './sink-worker.js';

/**
 * Runs `poll` every `intervalMs`, measured from start to start, until `quit` aborts. Polls never overlap: a slow one
 * delays the next, and after a failure the next waits at least as long as the server asked for. `poll` must not reject.
 */
export async function every(
  intervalMs: number,
  poll: () => Promise<ExporterError | undefined>,
  { clock, quit }: Readonly<{ clock: Pick<Clock, 'monotonic' | 'sleep'>; quit: AbortSignal }>,
): Promise<void> {
  while (!quit.aborted) {
    const startedMs = clock.monotonic();
    const failure = await poll();
    const notBeforeMs = clock.monotonic() + (failure?.retryAfterMs ?? 0);
    // The clock moves between two readings, and Node warns of negative delays.
    const restMs = Math.max(0, Math.max(notBeforeMs, startedMs + intervalMs) - clock.monotonic());
    await clock.sleep(restMs, quit).catch(() => undefined);
  }
}

/** From 1 s to 60 s on average, with full jitter. */
const failureBackoff: Backoff = { baseMs: 2_000, capMs: 120_000 };
const minWaitMs = 1_000;

/**
 * Runs `deliver` when notified, and again after a wait when it failed, until `quit` aborts. Resolves once the delivery
 * under way has ended. `deliver` must not reject.
 */
export async function runWhenNotified(
  wakeUp: Notify,
  deliver: () => Promise<Pick<DeliveryReport, 'errors'>>,
  { clock, random, quit }: Readonly<{ clock: Pick<Clock, 'sleep'>; random: Random; quit: AbortSignal }>,
): Promise<void> {
  let failures = 0;
  while (!quit.aborted) {
    await wakeUp.wait(quit).catch(() => undefined);
    if (quit.aborted) return;
    const { errors } = await deliver();
    failures = errors.length === 0 ? 0 : failures + 1;
    if (errors.length === 0) continue;
    await clock.sleep(waitMs(errors, failures, random), quit).catch(() => undefined);
    wakeUp.notify();
  }
}

/** What the receiver or server asked for, else the backoff. */
function waitMs(errors: readonly ExporterError[], failures: number, random: Random): number {
  const asked = Math.max(0, ...errors.map(({ retryAfterMs }) => retryAfterMs ?? 0));
  return Math.max(minWaitMs, asked > 0 ? asked : backoffMs(failureBackoff, failures, random));
}
