import { beforeAll, describe, expect, test } from '@jest/globals';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate } from '../../src/simulator/simulate.js';
import { inFolder } from '../support/folder.js';
import { runsAlone } from './support/alone.js';
import { artifact, buildArtifacts, version } from './support/artifacts.js';
import { done } from './support/image.js';
import { eventually, freePort, getText, runProgram, startProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

// Nothing here runs on Windows. The service host is compiled for this system, where a signal stands for an order of the
// service manager; everything else is what the archive for Windows contains.
const sources = resolve('packaging/windows/service');
const go = async (args: readonly string[], ...variables: readonly string[]) =>
  runProgram({ path: 'env', args: ['GOFLAGS=-mod=readonly', ...variables, toolPath('go'), ...args], cwd: sources });

runsAlone();
beforeAll(buildArtifacts, 900_000);

describe('the service host', () => {
  test('passes its own tests, and compiles for Windows', async () => {
    expect(await go(['test', './...'])).toMatchObject({ code: 0 });
    expect(await go(['vet', '.'], 'GOOS=windows', 'GOARCH=amd64')).toEqual({ code: 0, output: '' });
  }, 300_000);

  test('runs the exporter of the archive with a CRLF configuration: start, reload, stop, log file', async () => {
    await inFolder(async folder => {
      const simulator = await simulate({ clock: systemClock });
      const program = join(folder, 'program');
      await done({
        path: 'unzip',
        args: ['-q', artifact(`vb365-exporter-${version}-windows-amd64.zip`), '-d', folder],
      });
      cpSync(join(folder, `vb365-exporter-${version}-windows-amd64`), program, { recursive: true });
      symlinkSync(process.execPath, join(program, 'node'));
      const host = join(program, 'vb365-exporter-service');
      expect(await go(['build', '-o', host, '.'])).toMatchObject({ code: 0 });

      const data = join(folder, 'ProgramData/vb365-exporter');
      for (const name of ['secrets', 'state', 'logs']) mkdirSync(join(data, name), { recursive: true });
      const config = join(data, 'vb365-exporter.yaml');
      const text = readFileSync(join(program, 'vb365-exporter.yaml'), 'utf8');
      expect(text.replaceAll('\r\n', '')).not.toContain('\n');
      writeFileSync(
        config,
        text
          .replace(/url: \S+/, `url: ${simulator.url}\r\n    allow_http: true`)
          .replace(/username: \S+/, 'username: simulator')
          .replaceAll(/: (secrets|state)\\/g, ': $1/'),
      );
      writeFileSync(join(data, 'secrets/hq.txt'), 'simulator\r\n');

      const address = `127.0.0.1:${String(await freePort())}`;
      const env = { ProgramData: join(folder, 'ProgramData') };
      const service = startProgram({ path: host, args: [`--web.listen-address=${address}`], env });
      try {
        const page = async (): Promise<string> => (await getText(`http://${address}/metrics`)).text;
        await eventually('the server was read', async () =>
          /^vb365_server_up\{server="hq"\} 1$/m.test(await page()) ? true : undefined,
        );
        writeFileSync(config, readFileSync(config, 'utf8').replace('name: hq', 'name: renamed'));
        process.kill(Number(service.pid), 'SIGHUP');
        await eventually('it was reloaded', async () =>
          (await page()).includes('vb365_server_up{server="renamed"}') ? true : undefined,
        );
      } finally {
        await service.stop();
        await simulator.close();
      }
      expect(service.output()).toBe('info: The exporter started.\ninfo: The exporter stopped.\n');
      expect(readFileSync(join(data, 'logs/vb365-exporter.log'), 'utf8')).toContain('msg=Listening');
      expect(existsSync(join(data, 'state/vb365-exporter.db'))).toBe(true);
    });
  }, 120_000);

  test('the exporter stops when its input ends, as it does when the host dies', async () => {
    await inFolder(async folder => {
      cpSync('image', folder, { recursive: true });
      cpSync('packaging/windows/run.mjs', join(folder, 'run.mjs'));
      const shell = `(sleep 4) | "$0" "$1" demo --web.listen-address 127.0.0.1:0`;
      const args = ['-c', shell, process.execPath, join(folder, 'run.mjs')];
      expect(await runProgram({ path: 'bash', args })).toMatchObject({ code: 0 });
      // There may be no listener for signals yet.
      const atOnce = {
        path: process.execPath,
        args: [join(folder, 'run.mjs'), 'demo', '--web.listen-address', '127.0.0.1:0'],
      };
      expect(await runProgram(atOnce)).toMatchObject({ code: 0 });
    });
  }, 60_000);

  test('an invalid configuration ends the service with the exit code of the exporter', async () => {
    await inFolder(async folder => {
      const program = join(folder, 'program');
      cpSync('image', program, { recursive: true });
      cpSync('packaging/windows/run.mjs', join(program, 'run.mjs'));
      symlinkSync(process.execPath, join(program, 'node'));
      const data = join(folder, 'vb365-exporter');
      mkdirSync(data);
      writeFileSync(join(data, 'vb365-exporter.yaml'), 'servers: []\n');
      const host = join(program, 'vb365-exporter-service');
      expect(await go(['build', '-o', host, '.'])).toMatchObject({ code: 0 });
      const { code, output } = await runProgram({ path: host, args: [], env: { ProgramData: folder } });
      expect({ code, output }).toMatchObject({
        code: 2,
        output: expect.stringContaining('its configuration is invalid'),
      });
    });
  });
});

describe('the archive', () => {
  test('holds what the scripts copy and start', async () => {
    const path = artifact(`vb365-exporter-${version}-windows-amd64.zip`);
    const { output } = await runProgram({ path: 'unzip', args: ['-Z1', path] });
    const files = output.trim().split('\n');
    const top = files.map(file => file.split('/')[1] ?? '');
    expect([...new Set(top)].toSorted()).toEqual([
      'LICENSES.txt',
      'README.txt',
      'dist',
      'install.ps1',
      'node.exe',
      'package.json',
      'run.mjs',
      'uninstall.ps1',
      'vb365-exporter-service.exe',
      'vb365-exporter.cmd',
      'vb365-exporter.yaml',
    ]);
  });

  test('has scripts whose parameters are the ones that the documents name', () => {
    const script = readFileSync('packaging/windows/install.ps1', 'utf8');
    const documents = ['docs/INSTALL.md', 'README.md', 'packaging/windows/README.txt'];
    for (const file of documents)
      for (const [, parameters = ''] of readFileSync(file, 'utf8').matchAll(/install\.ps1 ((?:-[A-Z]\w+ \S+ ?)+)/g))
        for (const [, name = ''] of parameters.matchAll(/-([A-Z]\w+)/g)) expect(script).toMatch(`] $${name}`);
    // Windows PowerShell reads a file without a byte order mark in the code page of the machine.
    for (const file of readdirSync('packaging/windows').filter(name => name.endsWith('.ps1')))
      expect(readFileSync(join('packaging/windows', file), 'utf8')).toMatch(/^[\x20-\x7e\n]*$/);
  });
});
