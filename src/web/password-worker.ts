import { compareSync } from 'bcryptjs';
import { parentPort, workerData } from 'node:worker_threads';
import type { PasswordJob } from './password-thread.js';

/** Runs in a thread: reports whether the password has the hash, after as much work as a refusal always takes. */
function run({ password, hash, padding }: PasswordJob): void {
  const isRight = compareSync(password, hash);
  if (!isRight) for (const other of padding) compareSync(password, other);
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
  parentPort?.postMessage(isRight);
}

const job: PasswordJob = workerData;
run(job);
