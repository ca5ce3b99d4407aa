import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const module = new URL('../../src/store/sqlite.js', import.meta.url).href;

export type ChildOptions = Readonly<{
  /** Runs when everything is loaded, before the file is opened. */
  before?: string;
  /** A command that runs the process, such as `['unshare', '-rm']`. */
  within?: readonly string[];
}>;

/** A second process that opens the state file at `path`, then runs `script` with `store` and `say(line)` in scope. */
export function storeChild(path: string, script: string, options: ChildOptions = {}): ChildProcess {
  const source = `
    import { sqliteStore } from ${JSON.stringify(module)};
    import * as fs from 'node:fs';
    import { spawnSync } from 'node:child_process';
    const say = line => process.stdout.write(line + '\\n');
    try {
      ${options.before ?? ''}
      const store = await sqliteStore({ path: ${JSON.stringify(path)} });
      ${script}
    } catch (error) {
      say(error.message);
    }`;
  const [command = process.execPath, ...before] = options.within ?? [];
  const node = options.within === undefined ? [] : [process.execPath];
  const flags = [...before, ...node, '--no-warnings', '--input-type=module', '--eval', source];
  return spawn(command, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
}

/** Lines the process writes until one that `enough` accepts, or its end. */
export async function linesOf(child: ChildProcess, enough: (line: string) => boolean): Promise<readonly string[]> {
  const lines: string[] = [];
  if (child.stdout === null) return lines;
  for await (const line of createInterface(child.stdout)) {
    lines.push(line);
    if (enough(line)) break;
  }
  return lines;
}

/** Ends the process as a power cut would: it gets no chance to do anything. */
export async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
