import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { createProgram } from '../src/cli/program.js';
import { normalize } from './archives.js';
import { completions } from './completion.js';
import { copyrightText } from './licences.js';
import { manualPage } from './manual.js';
import type { Release } from './release.js';
import { unpackRuntime } from './runtime.js';

/** Processors as Debian, Go and OCI name them. */
export const processors = ['amd64', 'arm64'] as const;
export type Processor = (typeof processors)[number];

/**
 * Writes what belongs below /usr into `folder`: the program with its Node, the unit, manual page, completions, licences.
 * Packages, tarball and image are made of it.
 */
export function writeTree(folder: string, processor: Processor, release: Release): void {
  rmSync(folder, { recursive: true, force: true });
  const runtime = unpackRuntime(processor === 'amd64' ? 'linux-x64' : 'linux-arm64', release);
  const library = join(folder, 'lib/vb365-exporter');
  cpSync('image', library, { recursive: true });
  cpSync(join(runtime, 'bin/node'), join(library, 'node'));
  copy('packaging/linux/vb365-exporter', folder, 'bin/vb365-exporter');
  copy('packaging/linux/vb365-exporter.service', folder, 'lib/systemd/system/vb365-exporter.service');
  writeDocuments(join(folder, 'share/doc/vb365-exporter'), runtime);
  writeHelp(join(folder, 'share'), release);
  normalize(folder, release.epochSeconds);
}

function copy(from: string, folder: string, to: string): void {
  cpSync(from, join(folder, to));
}

function writeDocuments(folder: string, runtime: string): void {
  mkdirSync(folder, { recursive: true });
  cpSync('README.md', join(folder, 'README.md'));
  // Debian's name for the changelog of the project.
  writeFileSync(join(folder, 'changelog.gz'), gzipSync(readFileSync('CHANGELOG.md'), { level: 9 }));
  cpSync('examples/vb365-exporter.yaml', join(folder, 'examples/every-key.yaml'));
  writeFileSync(join(folder, 'copyright'), copyrightText(runtime));
}

/** Manual page and completions, at the places where man, bash, zsh and fish look for them. */
function writeHelp(share: string, { version, epochSeconds, homepage }: Release): void {
  const program = createProgram({ version, print: () => undefined, printError: () => undefined });
  const cli = readFileSync('docs/CLI.md', 'utf8');
  const { bash, zsh, fish } = completions(program);
  const files = [
    [
      'man/man1/vb365-exporter.1.gz',
      gzipSync(manualPage(program, { version, epochSeconds, homepage, cli }), { level: 9 }),
    ],
    ['bash-completion/completions/vb365-exporter', bash],
    ['zsh/vendor-completions/_vb365-exporter', zsh],
    ['fish/vendor_completions.d/vb365-exporter.fish', fish],
  ] as const;
  for (const [path, content] of files) {
    mkdirSync(join(share, path, '..'), { recursive: true });
    writeFileSync(join(share, path), content);
  }
}
