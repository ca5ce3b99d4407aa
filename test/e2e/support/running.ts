import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { systemClock } from '../../../src/kernel/clock.js';

/** A program that runs next to the test. */
export interface Running {
  readonly pid: number | undefined;
  /** All it has written so far, both streams. */
  output(): string;
  /** Whether it still runs. */
  alive(): boolean;
  /** Asks it to stop, ends it by force after `graceMs` (10 s), and resolves once it is gone. */
  stop(graceMs?: number): Promise<void>;
  /** Ends it by force, as a crash would. */
  kill(): Promise<void>;
}

export type Command = Readonly<{ path: string; args: readonly string[]; env?: NodeJS.ProcessEnv; cwd?: string }>;

/** What is still running when the test process ends is taken along. */
const children = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of children) child.kill('SIGKILL');
});

/** Starts a program and does not wait for anything; see `whenReady`. */
export function startProgram({ path, args, env, cwd }: Command): Running {
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: env ?? process.env, cwd });
  let said = '';
  const hear = (chunk: unknown): void => void (said += String(chunk));
  child.stdout.on('data', hear);
  child.stderr.on('data', hear);
  child.once('error', hear);
  children.add(child);
  const gone = once(child, 'close').then(
    () => children.delete(child),
    () => children.delete(child),
  );
  const alive = (): boolean => children.has(child) && child.exitCode === null && child.signalCode === null;
  const stop = async (graceMs = 10_000): Promise<void> => {
    if (!children.has(child)) return;
    child.kill('SIGTERM');
    const timer = new AbortController();
    const force = systemClock.sleep(graceMs, timer.signal).then(() => child.kill('SIGKILL'));
    await gone;
    timer.abort();
    await force.catch(() => undefined);
  };
  const kill = async (): Promise<void> => {
    child.kill('SIGKILL');
    await gone;
  };
  return { pid: child.pid, output: () => said, alive, stop, kill };
}

/** Runs a program to its end. */
export async function runProgram(command: Command): Promise<Readonly<{ code: number | null; output: string }>> {
  const { path, args, env, cwd } = command;
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'], env: env ?? process.env, cwd });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => void (output += String(chunk)));
  await once(child, 'close');
  return { code: child.exitCode, output };
}

/** A TCP port of 127.0.0.1 that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('A listening socket has no port');
  return address.port;
}

/**
 * Looks again and again until `look` answers something else than undefined, and answers that. A `look` that throws has
 * not found it yet.
 * @throws {Error} after `withinMs`, with `what` was awaited and why the last look failed.
 */
export async function eventually<T>(
  what: string,
  look: () => Promise<T | undefined> | T | undefined,
  withinMs = 60_000,
): Promise<T> {
  const giveUpAt = systemClock.monotonic() + withinMs;
  let trouble: unknown = 'nothing was found';
  while (systemClock.monotonic() < giveUpAt) {
    try {
      const found = await look();
      if (found !== undefined) return found;
    } catch (thrown) {
      trouble = thrown;
    }
    await systemClock.sleep(50, new AbortController().signal);
  }
  throw new Error(`Not within ${String(withinMs)} ms: ${what} (${String(trouble)})`);
}

/** Waits until `url` answers with a 2xx status; fails at once, with its output, when the program ends before. */
export async function whenReady(running: Running, url: string, withinMs = 60_000): Promise<void> {
  const ready = await eventually(
    `${url} answers`,
    async () => {
      if (!running.alive()) return 'ended';
      return (await getText(url)).status < 300 ? 'ready' : undefined;
    },
    withinMs,
  ).catch((thrown: unknown) => String(thrown));
  if (ready !== 'ready') throw new Error(`A program did not become ready (${ready}):\n${running.output()}`);
}

/** What `url` answers. */
export async function getText(
  url: string,
  init: RequestInit = {},
): Promise<Readonly<{ status: number; text: string }>> {
  // oxlint-disable-next-line no-restricted-globals -- its own client
  const response = await fetch(url, init);
  return { status: response.status, text: await response.text() };
}
