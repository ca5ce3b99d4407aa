import { execFileSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { z } from 'zod';

type Where = Readonly<{ cwd?: string; env?: Readonly<Record<string, string>> }>;

/** Where `.ci/tools` puts the programs that it gets. */
const toolsFolder = resolve(process.env['VB365_TOOLS'] ?? '.cache/tools', 'bin');

/** The programs that the build needs in addition to npm and tar, and the script in `.ci/tools` that gets each. */
const scripts: Readonly<Record<string, string>> = {
  buildah: 'containers',
  go: 'go',
  helm: 'helm',
  nfpm: 'nfpm',
  zip: 'zip',
};

/** Runs a program and returns its standard output. @throws {Error} with what it wrote to standard error. */
export function run(program: string, args: readonly string[], { cwd, env }: Where = {}): string {
  try {
    return execFileSync(pathOf(program), args, {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      cwd,
      env: { ...process.env, TZ: 'UTC', LC_ALL: 'C', ...env },
      maxBuffer: 64 * 1024 * 1024,
    });
  } catch (thrown) {
    throw new Error(`Could not run "${program} ${args.join(' ')}": ${saidBy(thrown)}`, { cause: thrown });
  }
}

const failure = z.object({ stderr: z.string(), stdout: z.string() });

/** What a failed program wrote, else why it could not be started. */
function saidBy(thrown: unknown): string {
  const { data: { stderr, stdout } = { stderr: '', stdout: '' } } = failure.safeParse(thrown);
  return [stderr, stdout].map(text => text.trim()).find(text => text !== '') ?? String(thrown);
}

/** The path of a program, on PATH or from `.ci/tools`. @throws {Error} that says how to get it. */
function pathOf(program: string): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), toolsFolder];
  const found = folders.map(folder => join(folder, program)).find(isExecutable);
  if (found !== undefined) return found;
  const script = scripts[program];
  const how = script === undefined ? '' : `; get it with: bash .ci/tools/${script}`;
  throw new Error(`Could not find "${program}", which the packages are built with${how}`);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
