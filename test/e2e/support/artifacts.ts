import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { done } from './image.js';

export const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as Readonly<{ version: string }>;

/** Where `npm run package` puts what it builds. */
export const artifacts = resolve('build');

/** The path of an artifact. */
export const artifact = (name: string): string => join(artifacts, name);

export const deb = artifact(`vb365-exporter_${version}-1_amd64.deb`);
export const rpm = artifact(`vb365-exporter-${version}-1.x86_64.rpm`);
export const tarball = artifact(`vb365-exporter-${version}-linux-amd64.tar.gz`);

/**
 * Builds the artifacts as `npm run package` does, without compiling once more: the tests run from what is compiled. The
 * artifacts are used again until something is compiled.
 */
export async function buildArtifacts(): Promise<void> {
  const sums = statSync(artifact('SHA256SUMS'), { throwIfNoEntry: false });
  if (sums !== undefined && sums.mtimeMs > statSync('dist/packaging/main.js').mtimeMs) return;
  await done({ path: process.execPath, args: ['bundle.mjs'] });
  await packageAgain();
}

/** Builds everything from the bundle that is there. */
export const packageAgain = async (): Promise<void> =>
  done({ path: process.execPath, args: ['dist/packaging/main.js'] });

/** Names of the artifacts, sorted. */
export const artifactNames = (): readonly string[] => readdirSync(artifacts).toSorted();
