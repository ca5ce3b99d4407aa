import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { ExporterError, Reason } from '../kernel/errors.js';
import type { Notify } from '../kernel/notify.js';
import { receiverErrorReasons } from '../model/labels.js';
import { type Probe, receiverBack } from './receiver-outage.js';
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

type LoopDeps = Readonly<{ clock: Pick<Clock, 'sleep' | 'monotonic'>; random: Random; quit: AbortSignal }>;

/**
 * Runs `deliver` when notified, and again after a wait when it failed, until `quit` aborts. Resolves once the delivery
 * under way has ended. After a failure of the receiver, the wait ends when `probe` succeeds. Neither may reject.
 */
export async function runWhenNotified(
  wakeUp: Notify,
  { deliver, probe }: Readonly<{ deliver: () => Promise<Outcome>; probe: Probe | undefined }>,
  deps: LoopDeps,
): Promise<void> {
  const { quit } = deps;
  let failures = 0;
  while (!quit.aborted) {
    await wakeUp.wait(quit).catch(() => undefined);
    if (quit.aborted) return;
    const outcome = await deliver();
    const hasFailed = outcome.errors.length > 0;
    failures = hasFailed ? await waitAfter(outcome, failures + 1, probe, deps) : 0;
    if (hasFailed) wakeUp.notify();
  }
}

/** Waits after the failed delivery number `failures`. Resolves with that number, or 0 when a receiver was down. */
async function waitAfter(
  { errors, undelivered }: Outcome,
  failures: number,
  probe: Probe | undefined,
  deps: LoopDeps,
): Promise<number> {
  const { clock, random, quit } = deps;
  const rest = async (ms: number): Promise<void> => clock.sleep(ms, quit).catch(() => undefined);
  const failure = undelivered.find(({ reason }) => reasonsOfReceiver.has(reason));
  // Newer records decide whether a refusal is about a record, so a delivery does not wait for the probe alone.
  const latestMs = failure?.reason === 'rejected' ? waitMs([failure], failures, random) : Infinity;
  const outcome = probe && failure && (await receiverBack(failure, { probe, latestMs }, deps));
  if (outcome === undefined) await rest(waitMs(errors, failures, random));
  // It takes probes, but not what is due: too much at once, for example.
  if (outcome === 'was up' && failures > 1) await rest(waitMs([], failures - 1, random));
  return outcome === 'was down' ? 0 : failures;
}

type Outcome = Pick<DeliveryReport, 'errors' | 'undelivered'>;

/** What the receiver or server asked for, else the backoff. */
function waitMs(errors: readonly ExporterError[], failures: number, random: Random): number {
  const asked = Math.max(0, ...errors.map(({ retryAfterMs }) => retryAfterMs ?? 0));
  return Math.max(minWaitMs, asked > 0 ? asked : backoffMs(failureBackoff, failures, random));
}

/** A failed delivery with one of these says that the receiver is down, or will not take records now. */
const reasonsOfReceiver: ReadonlySet<Reason> = new Set(receiverErrorReasons);
