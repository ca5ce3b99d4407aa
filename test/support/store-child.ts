import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

const module = new URL('../../src/store/sqlite.js', import.meta.url).href;

/** A second process that opens the state file at `path`, then runs `script` with `store` and `say(line)` in scope. */
export function storeChild(path: string, script: string): ChildProcess {
  const source = `
    import { sqliteStore } from ${JSON.stringify(module)};
    const say = line => process.stdout.write(line + '\\n');
    try {
      const store = await sqliteStore({ path: ${JSON.stringify(path)} });
      ${script}
    } catch (error) {
      say(error.message);
    }`;
  const flags = ['--no-warnings', '--input-type=module', '--eval', source];
  return spawn(process.execPath, flags, { stdio: ['ignore', 'pipe', 'inherit'] });
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
