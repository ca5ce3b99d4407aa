import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';

const page = readFileSync('docs/RELIABILITY.md', 'utf8');

/** A line of a table: its cells. */
const rows = page
  .slice(page.indexOf('## Restarts and shutdown'))
  .split('\n')
  .filter(line => line.startsWith('| ') && !/^\| (?:fault +\||--)/.test(line))
  .map(line => line.split(' | ').map(cell => cell.replaceAll(/^\| | \|$/g, '').trim()));

/** The tests that the last cell names. */
function proofs(cell: string): readonly Readonly<{ file: string; name: string }>[] {
  return cell.split('<br>').map(proof => {
    const [, file = '', name = ''] = /^`(?<file>[^`]+)` › (?<name>.+)$/.exec(proof) ?? [];
    return { file, name };
  });
}

/** The tests of a file as it stands, however its lines are broken and its quotes escaped. */
const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8').replaceAll("\\'", "'") : '');

describe('docs/RELIABILITY.md', () => {
  test('has rows, each with a fault, what is seen, what is guaranteed, and a proof', () => {
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.filter(cells => cells.length !== 4 || cells.includes(''))).toEqual([]);
  });

  test.each(rows.flatMap(([fault = '', , , cell = '']) => proofs(cell).map(proof => ({ fault, ...proof }))))(
    'proves "$fault" with $file: $name',
    ({ file, name }) => {
      expect(file).toMatch(/^test\/.*\.test\.ts$/);
      expect(name).not.toBe('');
      expect(textOf(file).includes(name)).toBe(true);
    },
  );
});
