import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { readRelease } from '../../packaging/release.js';

type Versions = Readonly<{ version: string; devDependencies: Readonly<Record<string, string>> }>;
const read = (path: string): Versions => JSON.parse(readFileSync(path, 'utf8')) as Versions;

test('packages contain the Node that the tests run on', () => {
  expect(read('packaging/runtimes.json').version).toBe(read('package.json').devDependencies['node']);
});

test('SOURCE_DATE_EPOCH dates the artifacts; a time that is none is refused', () => {
  expect(readRelease({ SOURCE_DATE_EPOCH: '1700000000' })).toMatchObject({
    name: 'vb365-exporter',
    version: read('package.json').version,
    epochSeconds: 1_700_000_000,
  });
  expect(() => readRelease({ SOURCE_DATE_EPOCH: 'today' })).toThrow('Could not date the artifacts');
});
