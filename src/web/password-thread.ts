import { Worker } from 'node:worker_threads';
import { ExporterError } from '../kernel/errors.js';

/** A password to compare with a bcrypt hash, and hashes to compare it with in addition when it is wrong. */
type PasswordJob = Readonly<{ password: string; hash: string; padding: readonly string[] }>;

/**
 * Whether the password has the hash. Runs in a thread that ends with the answer, or as soon as `signal` aborts: bcrypt
 * takes from a millisecond to minutes, by the cost in the hash.
 * @throws the signal's reason, or {ExporterError} `bug` when the thread fails.
 */
export async function hasHash({ password, hash, padding }: PasswordJob, signal: AbortSignal): Promise<boolean> {
  signal.throwIfAborted();
  const { promise, resolve, reject } = Promise.withResolvers<boolean>();
  const worker = new Worker(new URL('./password-worker.js', import.meta.url), {
    workerData: [password, hash, ...padding],
  });
  worker.once('message', (isRight: unknown) => resolve(isRight === true));
  const failed = (cause?: unknown): void => reject(new ExporterError('bug', 'Could not check a password', { cause }));
  worker.once('error', failed);
  worker.once('exit', () => failed());
  const stop = (): void => reject(signal.reason);
  signal.addEventListener('abort', stop, { once: true });
  try {
    return await promise;
  } finally {
    signal.removeEventListener('abort', stop);
    await worker.terminate();
  }
}
