import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJson, type Release } from './release.js';
import { run } from './run.js';

const runtimes = z.object({
  version: z.string(),
  integrity: z.object({ 'linux-x64': z.string(), 'linux-arm64': z.string(), 'win-x64': z.string() }),
});

/** Platforms as npm names them. */
export type Platform = keyof z.output<typeof runtimes>['integrity'];

const cache = '.cache/runtimes';

/**
 * Unpacks the Node of a platform and returns its folder. It comes from npm; its digest is in `packaging/runtimes.json`.
 * @throws {Error} if the digest differs, or is the one of another version.
 */
export function unpackRuntime(platform: Platform, { node }: Release): string {
  const { version, integrity } = readJson(runtimes, 'packaging/runtimes.json');
  if (version !== node)
    throw new Error(`Could not use Node ${node}: packaging/runtimes.json has the digests of ${version}`);
  mkdirSync(cache, { recursive: true });
  const archive = join(cache, `node-${platform}-${node}.tgz`);
  if (!existsSync(archive)) run('npm', ['pack', '--silent', '--pack-destination', cache, `node-${platform}@${node}`]);
  const digest = `sha512-${createHash('sha512').update(readFileSync(archive)).digest('base64')}`;
  if (digest !== integrity[platform]) {
    rmSync(archive);
    throw new Error(`Could not use ${archive}: its digest is ${digest}, packaging/runtimes.json says otherwise`);
  }
  const folder = join(cache, platform);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  run('tar', ['-xzof', archive, '-C', folder]);
  return join(folder, 'package');
}
