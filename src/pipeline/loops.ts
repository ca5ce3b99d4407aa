import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { Notify } from '../kernel/notify.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { ExporterError } from '../kernel/errors.js';
import type { DeliveryReport } from './sink-worker.js';

type Timing = Readonly<{ clock: Clock; random: Random; quit: AbortSignal }>;

/**
 * Runs `turn` every `intervalMs()`, measured from start to start, until `quit` aborts. Turns never overlap: one that
 * runs long delays the next, and one that answers a failure is not followed before the time that the other side asked
 * for. A ring of `changed` says that the interval may be another now. Resolves once the turn in hand has ended; `turn`
 * must not reject.
 */
export async function every(
  intervalMs: () => number,
  turn: () => Promise<ExporterError | undefined>,
  timing: Pick<Timing, 'clock' | 'quit'> & Readonly<{ changed?: Notify }>,
): Promise<void> {
  const { clock, quit, changed } = timing;
  while (!quit.aborted) {
    const startedMs = clock.monotonic();
    const failure = await turn();
    const notBeforeMs = clock.monotonic() + (failure?.retryAfterMs ?? 0);
    // The clock goes on between two readings of it; Node warns of a wait that is negative.
    const restMs = (): number => Math.max(0, Math.max(notBeforeMs, startedMs + intervalMs()) - clock.monotonic());
    while ((await rest(restMs(), { clock, quit, changed })) === 'notified');
  }
}

type Rest = Pick<Timing, 'clock' | 'quit'> & Readonly<{ changed: Notify | undefined }>;

/** Sleeps, unless the bell rings before that. */
async function rest(ms: number, { clock, quit, changed }: Rest): Promise<'slept' | 'notified'> {
  const over = new AbortController();
  const either = AbortSignal.any([quit, over.signal]);
  const slept = clock.sleep(ms, either).then(
    () => 'slept' as const,
    () => 'slept' as const,
  );
  const notified = changed?.wait(either).then(
    () => 'notified' as const,
    () => 'slept' as const,
  );
  const first = await Promise.race(notified === undefined ? [slept] : [slept, notified]);
  over.abort();
  await notified;
  return first;
}

/** From 1 s to 60 s, full jitter: a receiver that is down for long is asked once a minute or so. */
const failureBackoff: Backoff = { baseMs: 2_000, capMs: 120_000 };
/** The least time between two tries, and what a receiver that asks for no wait at all gets. */
const leastWaitMs = 1_000;

/**
 * Runs a sink's turns whenever the bell rings, and again after a wait when a turn failed, until `quit` aborts.
 * Resolves once the turn in hand has ended; `turn` must not reject.
 */
export async function runWhenNotified(
  wakeUp: Notify,
  turn: () => Promise<DeliveryReport>,
  timing: Timing,
): Promise<void> {
  let failures = 0;
  while (!timing.quit.aborted) {
    await wakeUp.wait(timing.quit).catch(() => undefined);
    if (timing.quit.aborted) return;
    const { errors } = await turn();
    failures = errors.length === 0 ? 0 : failures + 1;
    if (errors.length === 0) continue;
    await timing.clock.sleep(waitMs(errors, failures, timing.random), timing.quit).catch(() => undefined);
    wakeUp.notify();
  }
}

/** What the other side asked for, else the backoff. */
function waitMs(errors: readonly ExporterError[], failures: number, random: Random): number {
  const asked = Math.max(0, ...errors.map(({ retryAfterMs }) => retryAfterMs ?? 0));
  return Math.max(leastWaitMs, asked > 0 ? asked : backoffMs(failureBackoff, failures, random));
}
