import { chmodSync, lstatSync, lutimesSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.js';

/** Packs `folder` of `parent` as a .tar.gz: the same files give the same bytes. */
export function tarGz(archive: string, parent: string, folder: string, epochSeconds: number): void {
  const order = ['--sort=name', '--format=gnu', '--owner=0', '--group=0', '--numeric-owner'];
  const tar = archive.replace(/\.(?:gz|tgz)$/, suffix => (suffix === '.tgz' ? '.tar' : ''));
  run('tar', [...order, `--mtime=@${String(epochSeconds)}`, '-cf', tar, '-C', parent, folder]);
  run('gzip', ['-n', '-f', '-6', tar]);
  if (archive.endsWith('.tgz')) run('mv', [`${tar}.gz`, archive]);
}

/** Packs `folder` of `parent` as a .zip. */
export function zip(archive: string, parent: string, folder: string): void {
  run('zip', ['-q', '-X', '-D', archive, ...filesBelow(join(parent, folder), folder)], { cwd: parent });
}

/** Files below a folder, sorted, each with `prefix` for the folder. */
const filesBelow = (folder: string, prefix: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap(entry =>
      entry.isDirectory()
        ? filesBelow(join(folder, entry.name), `${prefix}/${entry.name}`)
        : [`${prefix}/${entry.name}`],
    );

/** Gives everything below a folder the same time, and modes that do not depend on the umask of the builder. */
export function normalize(folder: string, epochSeconds: number): void {
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, entry.name);
    if (entry.isDirectory()) normalize(path, epochSeconds);
    else chmodSync(path, (lstatSync(path).mode & 0o100) === 0 ? 0o644 : 0o755);
    lutimesSync(path, epochSeconds, epochSeconds);
  }
  chmodSync(folder, 0o755);
  lutimesSync(folder, epochSeconds, epochSeconds);
}
