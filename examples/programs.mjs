// What the examples that run without containers share: they start programs on free ports, and stop them together.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

export const root = resolve(dirname(fileURLToPath(import.meta.url)), '..');
export const cli = join(root, 'dist/src/main.js');
export const say = line => process.stdout.write(`${line}\n`);
export const at = port => `http://127.0.0.1:${port}`;

/** The path of a program: on PATH, or where .ci/tools installed it. */
export function programNamed(names, script) {
  const folders = [
    ...process.env.PATH.split(delimiter),
    resolve(root, process.env.VB365_TOOLS ?? '.cache/tools', 'bin'),
  ];
  for (const path of folders.flatMap(folder => names.map(name => join(folder, name)))) {
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // Try the next path.
    }
  }
  throw new Error(`"${names[0]}" was not found on PATH; install it, or on Debian run: bash .ci/tools/${script}`);
}

export async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

/**
 * Calls `play` with a temporary folder, a signal that SIGINT or SIGTERM aborts, and `start`. Stops what was started when `play` returns
 * or throws, and removes the folder.
 */
export async function run(play) {
  const stop = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => stop.abort());
  const children = [];
  const isAlive = child => child.exitCode === null && child.signalCode === null;
  const folder = mkdtempSync(join(tmpdir(), 'vb365-example-'));

  /** Starts a program, logs its output to a file, and waits until `answers` returns true. */
  async function start(name, path, args, answers) {
    const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let output = '';
    for (const stream of [child.stdout, child.stderr]) stream.on('data', chunk => (output += chunk));
    const closed = once(child, 'close').then(() => writeFileSync(join(folder, `${name}.log`), output));
    children.push({ child, closed });
    for (let tries = 0; tries < 600; tries += 1) {
      if (!isAlive(child)) throw new Error(`${name} ended:\n${output}`);
      if (await answers().catch(() => false)) return child;
      await sleep(100);
    }
    throw new Error(`${name} does not answer:\n${output}`);
  }

  try {
    await play({ folder, start, stop });
  } catch (error) {
    process.stderr.write(`${error.message}\n`);
    process.exitCode = 1;
  } finally {
    // In reverse, so that nothing loses what it depends on.
    for (const { child, closed } of children.reverse()) {
      child.kill('SIGTERM');
      await closed;
    }
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Whether a page answers without a server error. */
export const page = url => async () => (await fetch(url)).status < 500;
