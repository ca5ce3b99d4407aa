import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/kernel/clock.js';
import { text } from './stats.js';

/** What a process has cost so far. `peakMb`: the most that was resident at once. */
export type Usage = Readonly<{ cpuSeconds: number; rssMb: number; peakMb: number }>;

/** A separate process, whose cost can be read from outside. */
export type Child = Readonly<{
  /** Its output from here on, line by line. */
  lines: AsyncIterator<string>;
  /** Writes a line to it. */
  send: (line: string) => void;
  usage: () => Usage;
  /** Sends SIGTERM or the given signal, and waits until the process has ended. */
  stop: (signal?: NodeJS.Signals) => Promise<void>;
}>;

/** How a script is run: flags for Node before it, and what is added to the environment. */
export type Way = Readonly<{ nodeFlags?: readonly string[]; env?: Readonly<Record<string, string>> }>;

/** Starts a script of this build, relative to `bench/`. */
export function start(script: string, flags: readonly string[] = [], { nodeFlags = [], env = {} }: Way = {}): Child {
  const file = new URL(`../${script}`, import.meta.url).pathname;
  const child = spawn(
    'env',
    [...Object.entries(env).map(([name, value]) => `${name}=${value}`), process.execPath, ...nodeFlags, file, ...flags],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  // Nothing of a bench outlives it, however it ends.
  const kill = (): void => void child.kill('SIGKILL');
  process.once('exit', kill);
  child.once('exit', () => process.off('exit', kill));
  return {
    lines: createInterface(child.stdout)[Symbol.asyncIterator](),
    send: line => void child.stdin.write(`${line}\n`),
    usage: () => usageOf(child),
    stop: async (signal = 'SIGTERM') => stop(child, signal),
  };
}

/** What has Node write a CPU profile at the end of a process, where `--profile <folder>` asks for it. */
export function profiling(): readonly string[] {
  const folder = text('profile');
  return folder === '' ? [] : ['--cpu-prof', `--cpu-prof-dir=${folder}`];
}

/** The next line that a process says, as JSON. @throws when it has ended. */
export async function hear({ lines }: Child): Promise<unknown> {
  const next = await lines.next();
  if (next.done === true) throw new Error('The process ended before it answered');
  return JSON.parse(next.value);
}

async function stop(child: ChildProcess, signal: NodeJS.Signals): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill(signal);
  await gone;
}

/** Linux counts CPU time in hundredths of a second. */
const ticksPerSecond = 100;

function usageOf({ pid }: ChildProcess): Usage {
  const stat = readFileSync(`/proc/${String(pid)}/stat`, 'utf8');
  const status = readFileSync(`/proc/${String(pid)}/status`, 'utf8');
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const megabytes = (name: string): number => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1]) / 1024;
  return {
    cpuSeconds: (Number(fields[11]) + Number(fields[12])) / ticksPerSecond,
    rssMb: megabytes('VmRSS'),
    peakMb: megabytes('VmHWM'),
  };
}

const never = new AbortController().signal;

/** Asks every `everyMs` until the answer is yes. @throws after ten minutes. */
export async function until(yes: () => Promise<boolean> | boolean, everyMs = 100): Promise<void> {
  const endMs = systemClock.monotonic() + 600_000;
  // oxlint-disable-next-line no-await-in-loop -- one question after the other is the point
  while (!(await yes())) {
    if (systemClock.monotonic() > endMs) throw new Error('What was waited for has not come in ten minutes');
    // oxlint-disable-next-line no-await-in-loop -- as above
    await systemClock.sleep(everyMs, never);
  }
}
