import { describe, expect, test } from '@jest/globals';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { inFolder } from '../support/folder.js';
import { runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

const manifest = JSON.parse(readFileSync('package.json', 'utf8')) as Readonly<{
  version: string;
  dependencies: Readonly<Record<string, string>>;
}>;
const npm = async (args: readonly string[]) => runProgram({ path: 'npm', args });

/** Packs what is built here; answers the file. */
async function packed(folder: string): Promise<string> {
  const { code, output } = await npm(['pack', '--silent', '--pack-destination', folder]);
  if (code !== 0) throw new Error(output);
  return join(folder, `vb365-exporter-${manifest.version}.tgz`);
}

describe('the package', () => {
  test('holds the program and its documents, and nothing else', async () => {
    await inFolder(async folder => {
      const { output } = await runProgram({ path: 'tar', args: ['-tzf', await packed(folder)] });
      const files = output.trim().split('\n');
      const allowed =
        /^package\/(?:dist\/src\/.+\.js|docs\/[\w-]+\.md|docs\/config\.schema\.json|[A-Z]+(?:\.md)?|package\.json)$/;
      expect(files.filter(file => !allowed.test(file))).toEqual([]);
      for (const file of ['dist/src/main.js', 'README.md', 'LICENSE', 'CHANGELOG.md', 'docs/CONFIG.md'])
        expect(files).toContain(`package/${file}`);
    });
  });

  test('is installed from its file with npm, and runs', async () => {
    await inFolder(async folder => {
      const archive = await packed(folder);
      const prefix = join(folder, 'installed');
      mkdirSync(prefix);
      const how = ['--prefer-offline', '--no-audit', '--no-fund', '--silent'];
      expect(await npm(['install', ...how, '--prefix', prefix, archive])).toMatchObject({ code: 0 });
      const bin = join(prefix, 'node_modules/.bin/vb365-exporter');
      const run = async (...args: readonly string[]) => runProgram({ path: process.execPath, args: [bin, ...args] });
      expect((await run('--version')).output.trim()).toBe(manifest.version);
      expect(await run('demo', '--for', '5s', '--web.listen-address', '127.0.0.1:0')).toMatchObject({ code: 0 });
    });
  });

  test('shows on an older Node how to get a newer one, and that works', async () => {
    await inFolder(async folder => {
      const older = `data:text/javascript,Object.defineProperty(process,'versions',{value:{...process.versions,node:'20.1.0'}})`;
      const args = ['--import', older, resolve('dist/src/main.js'), '--version'];
      const { code, output } = await runProgram({ path: process.execPath, args });
      expect({ code, output }).toMatchObject({ code: 1, output: expect.stringContaining('this is 20.1.0') });
      const [, asked = ''] = /"npm install (node@\d+)"/.exec(output) ?? [];
      const how = ['--prefer-offline', '--no-audit', '--no-fund', '--silent', '--prefix', folder];
      expect(await npm(['install', ...how, asked])).toMatchObject({ code: 0 });
      const version = await runProgram({ path: join(folder, 'node_modules/.bin/node'), args: ['--version'] });
      expect(version.output).toMatch(/^v24\./);
    });
  });

  test('has a bill of materials with every package that it needs', async () => {
    const { code, output } = await npm(['sbom', '--sbom-format', 'cyclonedx', '--omit', 'dev']);
    expect(code).toBe(0);
    const { bomFormat, components } = JSON.parse(output) as {
      bomFormat: string;
      components: readonly { purl: string }[];
    };
    expect(bomFormat).toBe('CycloneDX');
    const purls = components.map(({ purl }) => decodeURIComponent(purl));
    for (const [name, version] of Object.entries(manifest.dependencies).filter(([, of]) => !of.startsWith('npm:')))
      expect(purls).toContain(`pkg:npm/${name}@${version}`);
    expect(purls.filter(purl => /\/(?:jest|typescript|oxlint)@/.test(purl))).toEqual([]);
  });
});

test('the workflows of GitHub are taken by actionlint', async () => {
  const files = readdirSync('.github/workflows').map(file => join('.github/workflows', file));
  expect(await runProgram({ path: toolPath('actionlint'), args: ['-shellcheck=', ...files] })).toEqual({
    code: 0,
    output: '',
  });
});

test('the workflows pin every action by commit, and only the job that publishes may write', () => {
  for (const file of readdirSync('.github/workflows')) {
    const text = readFileSync(join('.github/workflows', file), 'utf8');
    expect(text).toMatch(/^permissions: \{ contents: read \}$/m);
    for (const line of text.match(/uses: .*/g) ?? []) expect(line).toMatch(/@[0-9a-f]{40} # v\d+\.\d+\.\d+$/);
  }
  const [, build = '', publish = ''] =
    /\n  build:\n(.*)\n  publish:\n(.*)/s.exec(readFileSync('.github/workflows/release.yml', 'utf8')) ?? [];
  expect(build).not.toMatch(/permissions:|write|secrets\./);
  // What was published is what was tested: no code of the repository runs with these rights.
  expect(publish).not.toMatch(/checkout|npm|bash \.ci/);
});

test('CHANGELOG.md has a section for what comes next', () => {
  expect(readFileSync('CHANGELOG.md', 'utf8')).toMatch(/^## Unreleased$/m);
});
