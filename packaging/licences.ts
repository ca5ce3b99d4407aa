import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson } from './release.js';

const lock = z.object({
  packages: z.record(
    z.string(),
    z.object({ dev: z.boolean().optional(), version: z.string().optional(), license: z.string().optional() }),
  ),
});

/** The copyright file of the packages: our licence, then the texts of Node and of every npm package in the program. */
export function copyrightText(runtime: string): string {
  const { packages } = readJson(lock, 'package-lock.json');
  const inProgram = Object.entries(packages).filter(
    ([path, { dev }]) => path !== '' && dev !== true && existsSync(path),
  );
  const parts = inProgram.map(([path, { version = '', license = '' }]) =>
    part(`${path.replace(/^.*node_modules\//, '')} ${version} (${license})`, licenceIn(path)),
  );
  const head = readFileSync('packaging/linux/copyright', 'utf8');
  const own = part('vb365-exporter', readFileSync('LICENSE', 'utf8'));
  return [head, own, part('Node.js', readFileSync(join(runtime, 'LICENSE'), 'utf8')), ...parts].join('\n');
}

const part = (title: string, text: string): string =>
  `${'-'.repeat(79)}\n${title}\n${'-'.repeat(79)}\n\n${text.replaceAll('\r\n', '\n').trim()}\n`;

/** The licence and notice that a package brings; some bring none. */
function licenceIn(path: string): string {
  const texts = readdirSync(path, { withFileTypes: true }).filter(
    entry => entry.isFile() && /^(?:licen[cs]e|notice|copying)/i.test(entry.name),
  );
  return texts.map(({ name }) => readFileSync(join(path, name), 'utf8')).join('\n') || 'The package brings no text.';
}
