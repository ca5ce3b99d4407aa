import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { defaultQuirks } from '../../src/simulator/quirks.js';

const page = readFileSync('docs/SIMULATOR.md', 'utf8');

test.each(Object.entries(defaultQuirks))('docs/SIMULATOR.md names the quirk %s and its default %s', (name, value) => {
  const row = page.split('\n').find(line => (line.split('|')[1] ?? '').includes(`\`${name}\``));
  expect(row?.replaceAll('`', '')).toContain(String(value));
});
