import type { Clock, Random } from '../kernel/clock.js';
import { type ExporterError, toExporterError } from '../kernel/errors.js';
import { linkAbort } from '../kernel/linked-abort.js';
import { type DeliveryReport, DeliverySummary } from './delivery-report.js';
import { dueSessions, type SinkWorker } from './sink-worker.js';

/** Time between the starts of two probes. A delivery follows less than 5 s after the receiver is back. */
const probePaceMs = 2_000;
const probeJitterMs = 1_000;
/** Maximum number of probes in flight: a probe that is not answered does not delay the next one. */
const maxProbes = 30;

/** Asks the receiver whether it is back. Must not reject. */
export type Probe = (signal: AbortSignal) => Promise<Pick<DeliveryReport, 'errors'>>;

type Options = Readonly<{ clock: Pick<Clock, 'sleep' | 'monotonic'>; random: Random; quit: AbortSignal }>;

type ProbeOutcome = 'was up' | 'was down' | 'is down';
type ProbePlan = Readonly<{ probe: Probe; /** Stop probing after this time. */ latestMs: number }>;

/**
 * Probes the receiver every 2 to 3 s, but not before the time in its `Retry-After`. Resolves when the receiver accepts a
 * probe, or refuses one in a way that shows it is up. `was down`: an earlier probe had failed; `was up`: none had;
 * `is down`: `latestMs` has passed.
 */
export async function receiverBack(
  failure: ExporterError,
  { probe, latestMs: limitMs }: ProbePlan,
  { clock, random, quit }: Options,
): Promise<ProbeOutcome> {
  const over = new AbortController();
  const unlink = linkAbort(over, [quit]);
  const inFlight = new Set<Promise<void>>();
  const latestAtMs = clock.monotonic() + limitMs;
  let notBeforeMs = clock.monotonic() + (failure.retryAfterMs ?? 0);
  let outcome: ProbeOutcome = 'was up';
  const send = async (): Promise<void> => {
    const own = new AbortController();
    const unlinkOwn = linkAbort(own, [over.signal]);
    const [error] = (await probe(own.signal)).errors;
    unlinkOwn();
    if (over.signal.aborted) return;
    if (error === undefined || (error.reason === 'rejected' && failure.reason !== 'rejected')) return over.abort();
    outcome = 'was down';
    notBeforeMs = Math.max(notBeforeMs, clock.monotonic() + (error.retryAfterMs ?? 0));
  };
  while (!over.signal.aborted) {
    const paceMs = Math.max(probePaceMs + probeJitterMs * random(), notBeforeMs - clock.monotonic());
    // Timers count whole milliseconds, and may end a fraction of one early.
    const restMs = Math.max(1, Math.min(paceMs, latestAtMs - clock.monotonic()));
    await clock.sleep(restMs, over.signal).catch(() => undefined);
    const nowMs = clock.monotonic() + 1;
    if (!over.signal.aborted && nowMs > latestAtMs) {
      outcome = 'is down';
      over.abort();
    }
    if (over.signal.aborted || nowMs < notBeforeMs || inFlight.size >= maxProbes) continue;
    const sent = send().finally(() => inFlight.delete(sent));
    inFlight.add(sent);
  }
  unlink();
  await Promise.all(inFlight);
  return outcome;
}

/** Probes a receiver that has failed. Never rejects: the failure is in the report. */
export async function probeReceiver(worker: SinkWorker, signal: AbortSignal): Promise<DeliveryReport> {
  const summary = new DeliverySummary();
  try {
    await worker.sink.probe?.(signal);
  } catch (thrown) {
    summary.undelivered.push(toExporterError(thrown));
  }
  summary.due = dueSessions(worker);
  return summary;
}
