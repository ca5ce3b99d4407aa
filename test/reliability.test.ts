import { describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';

const page = readFileSync('docs/RELIABILITY.md', 'utf8');

/** The cells of each table row. */
const rows = page
  .slice(page.indexOf('## Restarts and shutdown'))
  .split('\n')
  .filter(line => line.startsWith('| ') && !/^\| (?:fault +\||--)/.test(line))
  .map(line => line.split(' | ').map(cell => cell.replaceAll(/^\| | \|$/g, '').trim()));

/** The tests named by the last cell. */
function testsIn(cell: string): readonly Readonly<{ file: string; name: string }>[] {
  return cell.split('<br>').map(named => {
    const [, file = '', name = ''] = /^`(?<file>[^`]+)` › (?<name>.+)$/.exec(named) ?? [];
    return { file, name };
  });
}

/** The text of a test file with its quotes unescaped. */
const textOf = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8').replaceAll("\\'", "'") : '');

/** This checks the page, not the guarantees: the tests that it names check those. */
describe('docs/RELIABILITY.md', () => {
  test('has a fault, its symptoms, a guarantee and at least one test in each row', () => {
    expect(rows.length).toBeGreaterThan(30);
    expect(rows.filter(cells => cells.length !== 4 || cells.includes(''))).toEqual([]);
  });

  test.each(rows.flatMap(([fault = '', , , cell = '']) => testsIn(cell).map(named => ({ fault, ...named }))))(
    'names a test that exists for "$fault": $file, $name',
    ({ file, name }) => {
      expect(file).toMatch(/^test\/.*\.test\.ts$/);
      expect(name).not.toBe('');
      expect(textOf(file).includes(name)).toBe(true);
    },
  );
});
