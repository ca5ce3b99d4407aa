import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCli } from '../../src/cli/program.js';
import type { Terminal } from '../../src/cli/terminal.js';
import { inFolder } from './folder.js';

/** Runs the program, and returns what it printed. */
export async function run(argv: readonly string[], env: Terminal['env'] = {}) {
  const printed: string[] = [];
  const errors: string[] = [];
  const code = await runCli(argv, {
    env,
    print: line => void printed.push(line),
    printError: line => void errors.push(line),
    outputClosed: new AbortController().signal,
    stop: new AbortController().signal,
    onReload: () => undefined,
    version: '1.2.3',
  });
  return { code, printed, errors };
}

/** A configuration with one server; `keys` are more of its keys. */
export const server = (keys = ''): string =>
  `servers: [{ name: hq, url: 'https://vb365.example.com:4443', username: u, password_file: password${keys} }]\n`;
export const valid = 'The configuration is valid (servers: hq)';

/** Writes files that only this user can read, and checks the configuration. */
export async function checking(
  yaml: string,
  files: Readonly<Record<string, string | Buffer>>,
  flags: readonly string[] = [],
) {
  let found: Awaited<ReturnType<typeof run>> | undefined;
  await inFolder(async folder => {
    for (const [name, content] of Object.entries({ 'config.yaml': yaml, ...files })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content, { mode: 0o600 });
    }
    const result = await run(['check', '--config.file', join(folder, 'config.yaml'), ...flags]);
    found = { ...result, errors: result.errors.map(line => line.replaceAll(`${folder}/`, '')) };
  });
  if (found === undefined) throw new Error('no result');
  return found;
}

/** The result of a check that found one fault in a file. */
export const problem = (line: string) => ({
  code: 2,
  printed: [],
  errors: [`Could not use files that the configuration names:\n- ${line}`],
});
