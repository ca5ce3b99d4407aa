import { type Backoff, backoffMs } from '../kernel/backoff.js';
import type { Clock, Random } from '../kernel/clock.js';
import { type ExporterError, type Reason, toExporterError } from '../kernel/errors.js';

const backoff: Backoff = { baseMs: 500, capMs: 30_000 };
const passing: ReadonlySet<Reason> = new Set(['decode', 'network', 'server', 'throttled', 'timeout']);

/** Whether a later attempt may succeed. */
const isPassing = ({ reason }: ExporterError): boolean => passing.has(reason);

type Patience = Readonly<{
  clock: Clock;
  random: Random;
  signal: AbortSignal;
  attempts: number;
  isWorthwhile?: (error: ExporterError) => boolean;
}>;

/** Repeats what fails in passing, at growing intervals. @throws what the last attempt threw. */
export async function patiently<T>(work: () => Promise<T>, options: Patience): Promise<T> {
  const { clock, random, signal, attempts, isWorthwhile = isPassing } = options;
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await work();
    } catch (thrown) {
      const error = toExporterError(thrown);
      if (attempt >= attempts || !isWorthwhile(error)) throw thrown;
      await clock.sleep(error.retryAfterMs ?? backoffMs(backoff, attempt, random), signal);
    }
  }
}
