import { expect, test } from '@jest/globals';
import { existsSync, readFileSync } from 'node:fs';

const page = readFileSync('docs/RELIABILITY.md', 'utf8');

/** The rows of the tables of faults, as cells. */
const rows = page
  .slice(page.indexOf('## Restarts and shutdown'))
  .split('\n')
  .filter(line => line.startsWith('| ') && !/^\| (?:fault +\||--)/.test(line))
  .map(line => line.split(' | ').map(cell => cell.replaceAll(/^\| | \|$/g, '').trim()));

test('each row of docs/RELIABILITY.md has a fault, a sign, a guarantee and a test', () => {
  expect(rows.length).toBeGreaterThan(30);
  expect(rows.filter(cells => cells.length !== 4 || cells.includes(''))).toEqual([]);
});

test('each test that docs/RELIABILITY.md cites is a test file that exists', () => {
  const cited = rows.flatMap(([, , , cell = '']) => cell.split(', ').map(quoted => quoted.replaceAll('`', '')));
  expect(cited.filter(file => !/^test\/.*\.test\.ts$/.test(file) || !existsSync(file))).toEqual([]);
});
