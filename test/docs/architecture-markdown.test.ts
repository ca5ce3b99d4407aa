import { describe, expect, test } from '@jest/globals';
import { existsSync, readdirSync, readFileSync } from 'node:fs';

const pages = ['docs/ARCHITECTURE.md', 'docs/RELIABILITY.md', 'docs/INSTALL.md', 'README.md', 'CONTRIBUTING.md'];
const rooms = /^(?:src|test|docs|dashboards|bench|helm|examples|packaging)\/[\w./-]*$/;

/** The files and folders of this repository that a page names in backticks. */
function pathsIn(text: string): readonly string[] {
  const quoted = [...text.matchAll(/`([^`\s]+)`/g)].map(([, path = '']) => path);
  return [...new Set(quoted.filter(path => rooms.test(path)))];
}

/** The relative links of a page, without anchors. */
function linksIn(text: string): readonly string[] {
  const targets = [...text.matchAll(/\]\(([^)\s#]+)[^)]*\)/g)].map(([, target = '']) => target);
  return targets.filter(target => !/^\w+:/.test(target));
}

const folderOf = (page: string): string => page.replace(/[^/]*$/, '');

const missing = (paths: readonly string[]): readonly string[] => paths.filter(path => !existsSync(path));

describe.each(pages)('%s', page => {
  const text = readFileSync(page, 'utf8');

  test('names only files that exist', () => {
    expect(missing(pathsIn(text))).toEqual([]);
  });

  test('links only to files that exist', () => {
    expect(missing(linksIn(text).map(target => `${folderOf(page)}${target}`))).toEqual([]);
  });
});

test('a file that does not exist is caught', () => {
  expect(missing(pathsIn('see `src/main.ts`, `src/nowhere.ts` and `npm test`'))).toEqual(['src/nowhere.ts']);
  expect(missing(linksIn('[a](README.md#top) [b](nowhere.md) [c](https://example.com)'))).toEqual(['nowhere.md']);
});

test('docs/ARCHITECTURE.md shows the life of an event in at most 15 steps, and defines at most 25 words', () => {
  const text = readFileSync('docs/ARCHITECTURE.md', 'utf8');
  const section = (title: string): string => text.split(`## ${title}\n`)[1]?.split('\n## ')[0] ?? '';
  const steps = section('The life of an event').match(/^\d+\. /gm) ?? [];
  const words = section('Glossary').match(/^- \*\*/gm) ?? [];
  expect(steps.length).toBeGreaterThan(5);
  expect(steps.length).toBeLessThanOrEqual(15);
  expect(words.length).toBeGreaterThan(10);
  expect(words.length).toBeLessThanOrEqual(25);
});

test('the table of where to change what fits into a terminal', () => {
  const [, section = ''] = readFileSync('docs/ARCHITECTURE.md', 'utf8').split('## Where to change what\n');
  const rows = section.split('\n## ')[0]?.match(/^\|.*/gm) ?? [];
  expect(rows.length).toBeGreaterThan(30);
  expect(rows.filter(row => row.length > 130)).toEqual([]);
});

test('no two decisions have the same number, and their titles repeat it', () => {
  const files = readdirSync('docs/adr');
  const titles = files.map(file => /^# (\d+)\./.exec(readFileSync(`docs/adr/${file}`, 'utf8'))?.[1]?.padStart(4, '0'));
  expect(titles).toEqual(files.map(file => file.slice(0, 4)));
  expect(new Set(titles).size).toBe(files.length);
});
