import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';

/** The rows of the table that begins with `| way`, links made relative to the root. */
function ways(path: string): readonly string[] {
  const lines = readFileSync(path, 'utf8').replaceAll('](../', '](').split('\n');
  const from = lines.findIndex(line => /^\| way +\| install/.test(line));
  const length = lines.slice(from).findIndex(line => !line.startsWith('|'));
  return lines.slice(from + 2, from + length).map(line => line.replaceAll(/ +/g, ' '));
}

test('the install section of the README is the table of docs/INSTALL.md', () => {
  expect(ways('README.md')).toEqual(ways('docs/INSTALL.md'));
  expect(ways('README.md').map(row => row.split(' | ')[0]?.slice(2).trim())).toHaveLength(7);
});

test('every way has three commands', () => {
  for (const row of ways('docs/INSTALL.md')) expect(row.match(/`[^`]+`/g)).toHaveLength(3);
});
