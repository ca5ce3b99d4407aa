import { mkdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { runProgram } from './running.js';
import { toolPath } from './tools.js';

/** Where the tests keep images and containers, and the flags of podman and buildah for that. */
export const storage = resolve('.cache/images');
export const where = ['--root', join(storage, 'root'), '--runroot', join(storage, 'run'), '--storage-driver', 'vfs'];
export const containersConf = resolve('.ci/tools/image/containers.conf');

/** The image that the tests build, and what stands in for the one it is built on. */
export const image = 'localhost/vb365-exporter:test';
export const runtimeBase = 'localhost/vb365-runtime-base';

/** Runs podman on the storage of the tests; answers what it says on both streams. */
export async function podman(...args: readonly string[]) {
  const env = { ...process.env, CONTAINERS_CONF: containersConf };
  return runProgram({ path: toolPath('podman'), args: [...where, ...args], env });
}

/**
 * What podman has to say of an image or container, by a Go template, as JSON.
 * @throws {Error} with its words, when it has nothing.
 */
export async function inspected(template: string, of: string): Promise<unknown> {
  const { code, output } = await podman('inspect', '--format', `{{json ${template}}}`, of);
  if (code !== 0) throw new Error(output);
  return JSON.parse(output);
}

/**
 * Builds the image with the Dockerfile that everybody builds it with, on bases that are made of what this machine has.
 * @throws {Error} with what was said, when it cannot be built.
 */
export async function buildImage(version: string): Promise<void> {
  mkdirSync(storage, { recursive: true });
  await done({ path: 'bash', args: ['.ci/tools/image/bases', storage] });
  const values = {
    BUILD_IMAGE: 'localhost/vb365-build-base',
    RUNTIME_IMAGE: runtimeBase,
    PROGRAM: 'from-source',
    VERSION: version,
    REVISION: 'of-the-tests',
  };
  const given = Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
  const how = ['--isolation', 'chroot', '--format', 'docker', '--tag', image];
  await done({ path: toolPath('buildah'), args: [...where, 'bud', ...how, ...given, '.'] });
}

/** Runs a program to its end. @throws {Error} with what it said, unless it ended well. */
export async function done(command: Parameters<typeof runProgram>[0]): Promise<void> {
  const { code, output } = await runProgram(command);
  if (code !== 0) throw new Error(output);
}
