import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { ExporterError, Reason } from '../kernel/errors.js';
import { linkAbort } from '../kernel/linked-abort.js';
import type { Notify } from '../kernel/notify.js';
import { receiverErrorReasons } from '../model/labels.js';
import { type Probe, receiverBack } from './receiver-outage.js';
import type { DeliveryReport } from './delivery-report.js';

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

/** After a failure of a receiver or the store: 1 s to 60 s on average, with full jitter. */
const deliveryBackoff: Backoff = { baseMs: 2_000, capMs: 120_000 };
/** After a failure of a server: shorter, so that reading resumes soon after the server is back. */
const serverBackoff: Backoff = { baseMs: 2_000, capMs: 8_000 };
const minWaitMs = 1_000;

type Outcome = Pick<DeliveryReport, 'undelivered' | 'unread' | 'retryInMs'>;
type LoopDeps = Readonly<{ clock: Pick<Clock, 'sleep' | 'monotonic'>; random: Random; quit: AbortSignal }>;

/**
 * Runs `deliver` when notified, again when a session that could not be read is due, and again after a pause when the
 * receiver, the store or the whole server failed; until `quit` aborts. Resolves once the delivery under way has ended.
 * After a failure of the receiver, the pause ends when `probe` succeeds. Neither may reject.
 */
export async function runWhenNotified(
  wakeUp: Notify,
  { deliver, probe }: Readonly<{ deliver: () => Promise<Outcome>; probe: Probe | undefined }>,
  deps: LoopDeps,
): Promise<void> {
  const { quit } = deps;
  let failures = 0;
  let retryInMs: number | undefined;
  while (!quit.aborted) {
    await notifiedOrDue(wakeUp, retryInMs, deps);
    if (quit.aborted) return;
    const outcome = await deliver();
    ({ retryInMs } = outcome);
    const hasFailed = pausingErrors(outcome).length > 0;
    failures = hasFailed ? await waitAfter(outcome, failures + 1, probe, deps) : 0;
    if (hasFailed) wakeUp.notify();
  }
}

async function notifiedOrDue(wakeUp: Notify, dueInMs: number | undefined, { clock, quit }: LoopDeps): Promise<void> {
  const over = new AbortController();
  const unlink = linkAbort(over, [quit]);
  if (dueInMs !== undefined)
    void clock.sleep(dueInMs, over.signal).then(
      () => wakeUp.notify(),
      () => undefined,
    );
  await wakeUp.wait(quit).catch(() => undefined);
  over.abort();
  unlink();
}

/** The failures that concern more than one session. */
const pausingErrors = ({ undelivered, unread }: Outcome): readonly ExporterError[] => [
  ...undelivered,
  ...unread.filter(({ ofServer }) => ofServer).map(({ error }) => error),
];

/** Waits after the failed delivery number `failures`. Resolves with that number, or 0 when a receiver was down. */
async function waitAfter(
  delivery: Outcome,
  failures: number,
  probe: Probe | undefined,
  deps: LoopDeps,
): Promise<number> {
  const { clock, random, quit } = deps;
  const { undelivered } = delivery;
  const backoff = undelivered.length > 0 ? deliveryBackoff : serverBackoff;
  const rest = async (errors: readonly ExporterError[], failed: number): Promise<void> =>
    clock.sleep(waitMs(errors, backoffMs(backoff, failed, random)), quit).catch(() => undefined);
  const failure = undelivered.find(({ reason }) => reasonsOfReceiver.has(reason));
  // Newer records show whether a refusal is about one record, so a delivery must not wait for the probe alone.
  const latestMs = failure?.reason === 'rejected' ? waitMs([failure], backoffMs(backoff, failures, random)) : Infinity;
  const outcome = probe && failure && (await receiverBack(failure, { probe, latestMs }, deps));
  if (outcome === undefined) await rest(pausingErrors(delivery), failures);
  // The receiver accepts probes but not batches, which may be too large for it.
  if (outcome === 'was up' && failures > 1) await rest([], failures - 1);
  return outcome === 'was down' ? 0 : failures;
}

/** The wait that the receiver or server requested, else the backoff. */
function waitMs(errors: readonly ExporterError[], otherwiseMs: number): number {
  const asked = Math.max(0, ...errors.map(({ retryAfterMs }) => retryAfterMs ?? 0));
  return Math.max(minWaitMs, asked > 0 ? asked : otherwiseMs);
}

/** With these reasons, the receiver is down or does not accept records now. */
const reasonsOfReceiver: ReadonlySet<Reason> = new Set(receiverErrorReasons);
