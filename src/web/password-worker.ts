import { compareSync } from 'bcryptjs';
import { parentPort, workerData } from 'node:worker_threads';

// Runs in a thread: reports whether the password has the hash, after as much work as a refusal always takes.
const texts: unknown = workerData;
const [password = '', hash = '', ...padding] = Array.isArray(texts) ? texts.map(String) : [];
const isRight = compareSync(password, hash);
if (!isRight) for (const other of padding) compareSync(password, other);
// oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread has no origin
parentPort?.postMessage(isRight);
