import { beforeAll, describe, expect, test } from '@jest/globals';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { inFolder } from '../support/folder.js';
import { runsAlone } from './support/alone.js';
import {
  artifact,
  artifactNames,
  artifacts,
  buildArtifacts,
  packageAgain,
  tarball,
  version,
} from './support/artifacts.js';
import { done } from './support/image.js';
import { runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

runsAlone();
beforeAll(buildArtifacts, 900_000);

const sums = (): readonly string[] => readFileSync(artifact('SHA256SUMS'), 'utf8').split('\n');

describe('npm run package', () => {
  test('builds one file for every way to install, with checksums', async () => {
    expect(artifactNames()).toEqual(
      [
        'SHA256SUMS',
        `vb365-exporter-${version}-1.aarch64.rpm`,
        `vb365-exporter-${version}-1.x86_64.rpm`,
        `vb365-exporter-${version}-image.oci.tar`,
        `vb365-exporter-${version}-linux-amd64.tar.gz`,
        `vb365-exporter-${version}-linux-arm64.tar.gz`,
        `vb365-exporter-${version}-windows-amd64.zip`,
        `vb365-exporter-${version}.cdx.json`,
        `vb365-exporter-${version}.tgz`,
        `vb365-exporter-chart-${version}.tgz`,
        `vb365-exporter_${version}-1_amd64.deb`,
        `vb365-exporter_${version}-1_arm64.deb`,
      ].toSorted(),
    );
    const check = { path: 'sha256sum', args: ['--check', '--quiet', 'SHA256SUMS'], cwd: artifacts };
    expect(await runProgram(check)).toEqual({ code: 0, output: '' });
  });

  test('gives the same bytes a second time', async () => {
    const first = sums();
    await packageAgain();
    expect(sums()).toEqual(first);
  }, 900_000);

  test('refuses a part that it does not know', async () => {
    const { code, output } = await runProgram({ path: process.execPath, args: ['dist/packaging/main.js', 'msi'] });
    expect({ code, output }).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^Could not build "msi": parts are/),
    });
  });
});

test('the tarball runs from wherever it is, and through a link', async () => {
  await inFolder(async folder => {
    await done({ path: 'tar', args: ['-xzf', tarball, '-C', folder, '--strip-components=1'] });
    const program = join(folder, 'bin/vb365-exporter');
    const bare = { PATH: '/usr/bin:/bin' };
    expect((await runProgram({ path: program, args: ['--version'], env: bare })).output.trim()).toBe(version);
    mkdirSync(join(folder, 'elsewhere'));
    const link = join(folder, 'elsewhere/exporter');
    await done({ path: 'ln', args: ['-s', program, link] });
    expect((await runProgram({ path: link, args: ['--version'], env: bare })).output.trim()).toBe(version);
    expect(readFileSync(join(folder, 'lib/systemd/system/vb365-exporter.service'), 'utf8')).toContain(
      'ExecStart=/usr/local/bin/vb365-exporter ',
    );
  });
});

test('the bill of materials names Node and every package', () => {
  const { serialNumber, metadata, components } = JSON.parse(
    readFileSync(artifact(`vb365-exporter-${version}.cdx.json`), 'utf8'),
  ) as {
    serialNumber: string;
    metadata: { component: { name: string } };
    components: readonly { name: string; version: string; cpe?: string }[];
  };
  expect(metadata.component.name).toBe('vb365-exporter');
  expect(serialNumber).toMatch(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/);
  expect(components.find(({ name }) => name === 'node')).toMatchObject({
    version: process.versions.node,
    cpe: expect.stringContaining(`nodejs:node.js:${process.versions.node}`),
  });
  expect(components.map(({ name }) => name)).toEqual(expect.arrayContaining(['undici', 'zod', 'pino', 'express']));
});

test('the chart is taken by Helm', async () => {
  const { code, output } = await runProgram({
    path: toolPath('helm'),
    args: [
      'template',
      'x',
      artifact(`vb365-exporter-chart-${version}.tgz`),
      '--values',
      'helm/vb365-exporter/ci/01-one-server-values.yaml',
    ],
  });
  expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining(`vb365-exporter:${version}`) });
});
