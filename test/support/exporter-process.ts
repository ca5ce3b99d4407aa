import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The real program, in its own process. */
export type ExporterProcess = Readonly<{
  pid: number;
  /** The port that it listens on; never settles when it ends before it does. */
  listening: Promise<number>;
  /** Its exit code, or the name of the signal that ended it. */
  ended: Promise<number | string>;
  /** Lines of its log so far. */
  said: readonly string[];
  /** False from the moment it was sent SIGKILL, or has ended. */
  alive: () => boolean;
  /** Closes the reading end of its log, as a log shipper does that ends. */
  closeLog: () => void;
  kill: (signal: 'SIGKILL' | 'SIGTERM' | 'SIGINT' | 'SIGHUP' | 'SIGSTOP' | 'SIGCONT') => void;
}>;

/** Flags of Node, and the environment. */
type Runtime = Readonly<{ flags: readonly string[]; env: Readonly<Record<string, string>> }>;

/** Starts `serve` with a configuration file, on a free port; `more` flags come last. The caller ends it. */
export function startExporter(
  configFile: string,
  more: readonly string[] = [],
  { flags: nodeFlags, env }: Runtime = { flags: [], env: {} },
): ExporterProcess {
  const flags = ['--config.file', configFile, '--web.listen-address', '127.0.0.1:0', ...more];
  const child = spawn(process.execPath, [...nodeFlags, 'dist/src/main.js', ...flags], {
    env,
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const said: string[] = [];
  const port = Promise.withResolvers<number>();
  createInterface(child.stderr).on('line', line => {
    said.push(line);
    const found = /msg=Listening .*port=(\d+)/.exec(line)?.[1];
    if (found !== undefined) port.resolve(Number(found));
  });
  const ended = once(child, 'exit').then(([code, signal]: unknown[]) => (code ?? signal) as number | string);
  return {
    pid: child.pid ?? 0,
    listening: port.promise,
    ended,
    said,
    alive: () => !child.killed && child.exitCode === null && child.signalCode === null,
    closeLog: () => void child.stderr.destroy(),
    kill: signal => void child.kill(signal),
  };
}
