import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { normalize, tarGz } from './archives.js';
import { readJson, type Release } from './release.js';
import { run } from './run.js';

/** Where the image is published. Registry and owner of a fork differ from those in the repository. */
export type ImageName = Readonly<{ registry: string; owner: string }>;

/** Packs the chart, with the image that `image` names. `helm package` judges it; the archive is made again with fixed times. */
export function chart(out: string, stage: string, image: ImageName, { name, version, epochSeconds }: Release): void {
  const folder = join(stage, 'chart');
  cpSync(join('helm', name), join(folder, name), { recursive: true });
  nameImage(join(folder, name), image, name);
  run('helm', ['package', join(folder, name), '--destination', folder]);
  const archive = `${name}-${version}.tgz`;
  const unpacked = join(folder, 'unpacked');
  mkdirSync(unpacked);
  run('tar', ['-xzf', join(folder, archive), '-C', unpacked]);
  normalize(unpacked, epochSeconds);
  // The npm package has the name that helm gives.
  tarGz(join(out, `${name}-chart-${version}.tgz`), unpacked, name, epochSeconds);
  rmSync(folder, { recursive: true });
}

function nameImage(chartFolder: string, { registry, owner }: ImageName, name: string): void {
  const edits = [
    ['values.yaml', `registry: ghcr.io`, `registry: ${registry}`],
    ['values.yaml', `repository: ${name}/${name}`, `repository: ${owner}/${name}`],
    ['Chart.yaml', `image: ghcr.io/${name}/`, `image: ${registry}/${owner}/`],
  ] as const;
  for (const [file, from, to] of edits) {
    const path = join(chartFolder, file);
    const text = readFileSync(path, 'utf8');
    if (!text.includes(from))
      throw new Error(`Could not name the image in ${file} of the chart: "${from}" is not there`);
    writeFileSync(path, text.replace(from, to));
  }
}

/** Packs the npm package; npm takes modes from the umask of the builder, so the archive is made again. */
export function packNpm(out: string, stage: string, { name, version, epochSeconds }: Release): void {
  const folder = join(stage, 'npm');
  mkdirSync(folder);
  const archive = `${name}-${version}.tgz`;
  run('npm', ['pack', '--silent', '--pack-destination', folder]);
  run('tar', ['-xzof', join(folder, archive), '-C', folder]);
  allowPublishing(join(folder, 'package/package.json'));
  normalize(folder, epochSeconds);
  tarGz(join(out, archive), folder, 'package', epochSeconds);
}

/** The repository is private, so that nobody publishes it by mistake; npm would refuse the package too. */
function allowPublishing(manifest: string): void {
  const { private: _, ...rest } = readJson(publishable, manifest);
  writeFileSync(manifest, `${JSON.stringify(rest, undefined, 2)}\n`);
}

const publishable = z.looseObject({ private: z.boolean() });

/** Names of the files in a folder, sorted. */
export const filesIn = (folder: string): readonly string[] => readdirSync(folder).toSorted();
