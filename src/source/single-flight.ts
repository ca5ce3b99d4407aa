import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { Clock, Random } from '../kernel/clock.js';
import { ExporterError, type Reason, toExporterError } from '../kernel/errors.js';
import { unlessAborted } from '../kernel/linked-abort.js';
import type { ApiOperation } from '../model/labels.js';
import { failure } from './request-errors.js';

type FlightOptions = Readonly<{ operation: ApiOperation; clock: Clock; random: Random }>;

/** From 1 s to 30 s, full jitter: never longer than the usual poll interval. */
const failureBackoff: Backoff = { baseMs: 1_000, capMs: 30_000 };

/** Failures without this wait: a refused login has its own, and the others are not the server's fault. */
const noWait: ReadonlySet<Reason> = new Set(['aborted', 'auth', 'store']);

/**
 * Runs `work` once for all concurrent callers. A caller's signal ends its wait, not the work. After a failure callers
 * get the same error, without new work, until a wait is over: the one the server asked for, or a growing one.
 */
export function singleFlight<T>(work: () => Promise<T>, { clock, random, operation }: FlightOptions) {
  let flight: Promise<T> | undefined;
  let failed: Readonly<{ count: number; untilMs: number; error: ExporterError }> | undefined;

  async function attempt(): Promise<T> {
    const restMs = (failed?.untilMs ?? 0) - clock.monotonic();
    if (failed !== undefined && restMs > 0) throw stillFailed(failed.error, restMs);
    try {
      const done = await work();
      failed = undefined;
      return done;
    } catch (thrown) {
      const error = toExporterError(thrown);
      const count = (failed?.count ?? 0) + 1;
      const waitMs = error.retryAfterMs ?? backoffMs(failureBackoff, count, random);
      failed = noWait.has(error.reason) ? undefined : { count, untilMs: clock.monotonic() + waitMs, error };
      throw thrown;
    }
  }

  return async (signal: AbortSignal): Promise<T> => {
    flight ??= attempt().finally(() => {
      flight = undefined;
    });
    return unlessAborted(flight, signal).catch((thrown: unknown) => {
      throw signal.aborted ? failure(operation, 'aborted', 'stopped') : thrown;
    });
  };
}

/** The same error with the rest of the wait that the server asked for. */
function stillFailed(error: ExporterError, restMs: number): ExporterError {
  if (error.retryAfterMs === undefined) return error;
  const { reason, message, details, cause } = error;
  return new ExporterError(reason, message, { details, cause, retryAfterMs: restMs });
}
