import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { normalize, zip } from './archives.js';
import { copyrightText } from './licences.js';
import type { Release } from './release.js';
import { unpackRuntime } from './runtime.js';
import { run } from './run.js';

const sources = 'packaging/windows';

/** Makes the .zip for Windows: node.exe, the program, the service host and its scripts. Texts have the line ends of Windows. */
export function windowsZip(out: string, stage: string, release: Release): void {
  const name = `${release.name}-${release.version}-windows-amd64`;
  const folder = join(stage, name);
  mkdirSync(folder, { recursive: true });
  const runtime = unpackRuntime('win-x64', release);
  cpSync(join(runtime, 'bin/node.exe'), join(folder, 'node.exe'));
  cpSync('image', folder, { recursive: true });
  cpSync(join(sources, 'run.mjs'), join(folder, 'run.mjs'));
  buildHost(join(folder, 'vb365-exporter-service.exe'));
  const texts = readdirSync(sources).filter(file => /\.(?:ps1|txt|yaml|cmd)$/.test(file));
  for (const file of texts) writeFileSync(join(folder, file), crlf(readFileSync(join(sources, file), 'utf8')));
  // The Node of Windows brings no licence; it is the same as that of Linux.
  const licences = copyrightText(unpackRuntime('linux-x64', release));
  writeFileSync(join(folder, 'LICENSES.txt'), crlf(licences));
  normalize(folder, release.epochSeconds);
  rmSync(join(out, `${name}.zip`), { force: true });
  zip(resolve(out, `${name}.zip`), stage, name);
}

const crlf = (text: string): string => text.replaceAll(/\r?\n/g, '\r\n');

/** Cross-compiles the service host; without build ids and paths, so that the bytes depend on sources and Go only. */
function buildHost(file: string): void {
  const flags = ['-trimpath', '-buildvcs=false', '-ldflags=-s -w -buildid='];
  run('go', ['build', ...flags, '-o', resolve(file), '.'], {
    cwd: join(sources, 'service'),
    env: { GOOS: 'windows', GOARCH: 'amd64', CGO_ENABLED: '0', GOFLAGS: '-mod=readonly' },
  });
}
