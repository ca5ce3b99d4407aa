import { mkdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { normalize } from './archives.js';
import { processors } from './linux-tree.js';
import type { Release } from './release.js';
import { run } from './run.js';

/** A base that is made of Debian's packages, where no registry of images is in reach. */
const localBase = 'localhost/vb365-runtime-base';

/**
 * Builds the image for every processor from the tarballs in `out`, and writes it there as an OCI archive.
 * @param base the image to build on, with its digest; undefined: `localBase`.
 */
export function image(out: string, stage: string, base: string | undefined, release: Release): void {
  const storage = resolve('.cache/images');
  mkdirSync(storage, { recursive: true });
  if (base === undefined) run('bash', ['.ci/tools/image/runtime-base', storage, ...processors]);
  const where = ['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), '--storage-driver', 'vfs'];
  const buildah = (...args: readonly string[]): string => run('buildah', [...where, ...args]);
  const list = `localhost/${release.name}:${release.version}`;
  removeOld(buildah, list);
  const values = {
    PROGRAM: 'from-package',
    RUNTIME_IMAGE: base ?? localBase,
    VERSION: release.version,
    REVISION: release.revision,
  };
  const given = Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  const how = ['--isolation', 'chroot', '--format', 'oci', '--timestamp', String(release.epochSeconds)];
  // One after the other: together, they would be listed in the order in which they end.
  for (const processor of processors)
    buildah('bud', ...how, '--platform', `linux/${processor}`, '--manifest', list, ...given, '.');
  writeArchive(buildah, list, { out, stage, release });
}

type Buildah = (...args: readonly string[]) => string;

/** A list of an earlier build would get the new images in addition to the old. */
function removeOld(buildah: Buildah, list: string): void {
  try {
    buildah('manifest', 'rm', list);
  } catch {
    // There was none.
  }
}

function writeArchive(
  buildah: Buildah,
  list: string,
  to: Readonly<{ out: string; stage: string; release: Release }>,
): void {
  const { out, stage, release } = to;
  const layout = join(stage, 'image');
  rmSync(layout, { recursive: true, force: true });
  buildah('manifest', 'push', '--all', '--format', 'oci', list, `oci:${layout}:${release.name}:${release.version}`);
  normalize(layout, release.epochSeconds);
  const archive = resolve(out, `${release.name}-${release.version}-image.oci.tar`);
  const order = ['--sort=name', '--format=gnu', '--owner=0', '--group=0', '--numeric-owner'];
  run('tar', [...order, `--mtime=@${String(release.epochSeconds)}`, '-cf', archive, '-C', layout, '.']);
}
