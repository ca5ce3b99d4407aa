import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { Clock, Random } from '../kernel/clock.js';
import { type ExporterError, type Reason, toExporterError } from '../kernel/errors.js';

const backoff: Backoff = { baseMs: 500, capMs: 30_000 };
const transient: ReadonlySet<Reason> = new Set(['decode', 'network', 'server', 'throttled', 'timeout']);

/** Whether a later attempt may succeed. */
const isTransient = ({ reason }: ExporterError): boolean => transient.has(reason);

type RetryOptions = Readonly<{
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  attempts: number;
  isRetried?: (error: ExporterError) => boolean;
}>;

/** Retries transient errors, at growing intervals. @throws what the last attempt threw. */
export async function withRetries<T>(work: () => Promise<T>, options: RetryOptions): Promise<T> {
  const { clock, random, signal, attempts, isRetried = isTransient } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (thrown) {
      const error = toExporterError(thrown);
      if (attempt >= attempts || !isRetried(error)) throw thrown;
      await clock.sleep(error.retryAfterMs ?? backoffMs(backoff, attempt, random), signal);
    }
  }
}
