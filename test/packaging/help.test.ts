import { describe, expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { completions } from '../../packaging/completion.js';
import { leaves, manualPage } from '../../packaging/manual.js';
import { tableUnder } from '../../packaging/markdown-tables.js';
import { createProgram } from '../../src/cli/program.js';

const program = createProgram({ version: '1.2.3', print: () => undefined, printError: () => undefined });
const about = {
  version: '1.2.3',
  epochSeconds: 86_400,
  homepage: 'https://example.com',
  cli: readFileSync('docs/CLI.md', 'utf8'),
};
const commands = leaves(program);

describe('the manual page', () => {
  const page = manualPage(program, about);

  test('has version and date of the release', () => {
    expect(page).toMatch(/^\.TH VB365-EXPORTER 1 "1970-01-02" "vb365-exporter 1\.2\.3"/);
  });

  test.each(commands.map(({ name, command }) => [name, command] as const))(
    'explains %s with every option',
    (name, command) => {
      const [, text = ''] = page.split(`.SS ${name}\n`);
      const section = text.split(/^\.S[SH] /m)[0]?.replaceAll('\\-', '-') ?? '';
      expect(section).not.toBe('');
      for (const { flags, description } of command.options) {
        expect(section).toContain(`.B ${flags}\n`);
        expect(section).toContain(description);
      }
    },
  );

  test('has the exit codes of docs/CLI.md', () => {
    for (const [code = ''] of tableUnder('Exit codes', about.cli)) expect(page).toContain(`.TP\n.B ${code}\n`);
  });

  test('a heading without a table is an error', () => {
    expect(() => tableUnder('Nothing', about.cli)).toThrow('Could not find the table "Nothing"');
  });
});

describe('completions', () => {
  test.each(Object.entries(completions(program)))('%s knows every command and option', (shell, text) => {
    for (const { name, command } of commands) {
      for (const word of name.split(' ')) expect(text).toContain(word);
      for (const { long } of command.options)
        expect(text).toContain(shell === 'fish' ? `-l ${String(long).slice(2)}` : String(long));
    }
  });
});
