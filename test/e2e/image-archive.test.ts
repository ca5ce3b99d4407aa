import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder } from '../support/folder.js';
import { runsAlone } from './support/alone.js';
import { artifact, buildArtifacts, version } from './support/artifacts.js';
import { done, inspected, podman } from './support/image.js';
import { eventually, freePort, getText, runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

const archive = artifact(`vb365-exporter-${version}-image.oci.tar`);
const name = 'vb365-exporter-readme';
const secret = 'vb365-password-test';

runsAlone();
beforeAll(buildArtifacts, 900_000);

afterAll(async () => {
  await podman('rm', '--force', name);
  await podman('volume', 'rm', '--force', name);
  await podman('secret', 'rm', secret);
}, 60_000);

type Descriptor = Readonly<{ digest: string; platform?: Readonly<{ os: string; architecture: string }> }>;

const blob = (digest: string) => ['blobs', ...digest.split(':')] as const;

test('the archive is one image for amd64 and arm64', async () => {
  await inFolder(async folder => {
    await done({ path: 'tar', args: ['-xf', archive, '-C', folder] });
    const read = (...path: readonly string[]) =>
      JSON.parse(readFileSync(join(folder, ...path), 'utf8')) as { manifests: readonly Descriptor[] };
    const [list] = read('index.json').manifests;
    const { manifests } = read(...blob(list?.digest ?? ''));
    expect(manifests.map(({ platform }) => `${String(platform?.os)}/${String(platform?.architecture)}`)).toEqual([
      'linux/amd64',
      'linux/arm64',
    ]);
  });
});

test('a podman that has no images yet loads it under the name of the README', async () => {
  await inFolder(async folder => {
    const fresh = ['--root', join(folder, 'root'), '--runroot', join(folder, 'run'), '--storage-driver', 'vfs'];
    const load = { path: toolPath('podman'), args: [...fresh, 'load', '--input', archive] };
    expect((await runProgram(load)).output).toContain(`Loaded image: localhost/vb365-exporter:${version}`);
  });
});

/** The command of the README, without the ports, which the tests choose. */
function readmeCommand(address: string): readonly string[] {
  const [, command = ''] = /`podman (run [^`]+)`/.exec(readFileSync('README.md', 'utf8')) ?? [];
  return [
    ...command
      .replace('--publish 10365:10365', `--network host --pull never --no-healthcheck --name ${name}`)
      .replace('--volume vb365:', `--volume ${name}:`)
      .replace('--secret vb365-password,', `--secret ${secret},target=vb365-password,`)
      .replace('vb365-exporter:<version>', `localhost/vb365-exporter:${version}`)
      .replaceAll("'", '')
      .split(' '),
    '--web.listen-address',
    address,
  ];
}

test('the podman line of the README needs nothing but a password file', async () => {
  await inFolder(async folder => {
    writeFileSync(join(folder, 'password.txt'), 'simulator\n');
    expect(await podman('load', '--input', archive)).toMatchObject({ code: 0 });
    expect(await podman('secret', 'create', secret, join(folder, 'password.txt'))).toMatchObject({ code: 0 });
    const address = `127.0.0.1:${String(await freePort())}`;
    const started = await podman(...readmeCommand(address));
    expect(started).toMatchObject({ code: 0 });
    await eventually('it serves metrics of the server', async () =>
      (await getText(`http://${address}/metrics`)).text.includes('vb365_server_up{server="vb365.example.com"}')
        ? true
        : undefined,
    );
    expect(await podman('exec', name, '/nodejs/bin/node', 'dist/src/main.js', 'check')).toMatchObject({ code: 0 });
    await podman('stop', '--time', '10', name);
    expect(await inspected('.State.ExitCode', name)).toBe(0);
  });
}, 240_000);
