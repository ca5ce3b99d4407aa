import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { chart, filesIn, packNpm } from './chart.js';
import { image } from './image.js';
import { linuxPackages } from './linux-packages.js';
import { processors, writeTree } from './linux-tree.js';
import { readRelease } from './release.js';
import { sbom } from './sbom.js';
import { windowsZip } from './windows-zip.js';

const { env, argv, stdout } = process;
// Modes of files in image and archives do not depend on who builds.
process.umask(0o022);
const release = readRelease(env);
const out = 'build';
const stage = join(out, 'stage');

/** The parts of a release, in the order in which they need one another. `npm run package -- linux image` builds only these. */
const parts = {
  linux: () => processors.forEach(processor => linuxPackages(out, stage, processor, release)),
  windows: () => windowsZip(out, stage, release),
  npm: () => packNpm(out, stage, release),
  chart: () =>
    chart(out, stage, { registry: env['REGISTRY'] ?? 'ghcr.io', owner: env['OWNER'] ?? release.name }, release),
  image: () => image(out, stage, env['RUNTIME_IMAGE'], release),
  sbom: () => sbom(join(out, `${release.name}-${release.version}.cdx.json`), release),
} as const;

const isPart = (name: string): name is keyof typeof parts => Object.hasOwn(parts, name);

function build(names: readonly string[]): void {
  const unknown = names.filter(name => !isPart(name));
  if (unknown.length > 0)
    throw new Error(`Could not build "${unknown.join(' ')}": parts are ${Object.keys(parts).join(', ')}`);
  if (names.length === 0) rmSync(out, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  const chosen = Object.entries(parts).filter(([name]) => names.length === 0 || names.includes(name));
  for (const [name, make] of chosen) {
    const startedAt = process.hrtime.bigint();
    make();
    say(`${name}: ${String((process.hrtime.bigint() - startedAt) / 1_000_000_000n)} s`);
  }
  rmSync(stage, { recursive: true, force: true });
  writeSums();
}

/** Checksums of everything in the folder, as `sha256sum --check` takes them. */
function writeSums(): void {
  const files = filesIn(out).filter(name => name !== 'SHA256SUMS');
  const sums = files.map(
    name =>
      `${createHash('sha256')
        .update(readFileSync(join(out, name)))
        .digest('hex')}  ${name}\n`,
  );
  writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
  for (const name of files)
    say(`${(statSync(join(out, name)).size / 1e6).toFixed(1).padStart(7)} MB  ${join(out, name)}`);
}

const say = (line: string): void => void stdout.write(`${line}\n`);

const [first, processor, folder] = argv.slice(2);
const chosen = processors.find(one => one === processor);
try {
  // For the Dockerfile: only the tree, which needs no other programs.
  if (first === 'tree' && chosen !== undefined && folder !== undefined) writeTree(folder, chosen, release);
  else build(argv.slice(2));
} catch (thrown) {
  process.stderr.write(`${thrown instanceof Error ? thrown.message : String(thrown)}\n`);
  process.exitCode = 1;
}
