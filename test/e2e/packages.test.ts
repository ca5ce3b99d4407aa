import { beforeAll, describe, expect, test } from '@jest/globals';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { linuxPackages } from '../../packaging/linux-packages.js';
import { readRelease } from '../../packaging/release.js';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate } from '../../src/simulator/simulate.js';
import { inFolder } from '../support/folder.js';
import { runsAlone } from './support/alone.js';
import { buildArtifacts, deb, rpm, version } from './support/artifacts.js';
import { restoreOf } from './support/chain.js';
import { done } from './support/image.js';
import { bootMachine, type Machine, unpackMachine } from './support/machine.js';
import { startAlertmanager, startPrometheus, webhook } from './support/monitoring.js';
import { eventually, freePort, getText, runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

const fabrikam = 'fabrikam.onmicrosoft.com';
const config = 'etc/vb365-exporter/vb365-exporter.yaml';
const state = 'var/lib/private/vb365-exporter/vb365-exporter.db';

runsAlone();
beforeAll(buildArtifacts, 900_000);

/** Fills in what the comments of the packaged configuration ask for. */
function configure(root: string, url: string, address: string): void {
  const file = join(root, config);
  const text = readFileSync(file, 'utf8')
    .replace(/url: https:.*/, `url: ${url}\n    allow_http: true`)
    .replace(/username: \S+/, 'username: simulator');
  writeFileSync(file, text);
  writeFileSync(join(root, 'etc/vb365-exporter/secrets/hq'), 'simulator\n', { mode: 0o600 });
  writeFileSync(join(root, 'etc/vb365-exporter/environment'), `ARGS="--web.listen-address=${address}"\n`);
}

/** The same package with a higher version. */
async function nextVersion(folder: string): Promise<string> {
  const unpacked = join(folder, 'next');
  await done({ path: 'dpkg-deb', args: ['-R', deb, unpacked] });
  const control = join(unpacked, 'DEBIAN/control');
  writeFileSync(control, readFileSync(control, 'utf8').replace(/^Version: .*$/m, 'Version: 99.0.0-1'));
  const file = join(folder, 'next.deb');
  await done({ path: 'dpkg-deb', args: ['-Znone', '-b', unpacked, file] });
  return file;
}

async function apt(machine: Machine, ...args: readonly string[]): Promise<string> {
  return machine.must('apt-get', '-y', '--no-install-recommends', '-o', 'APT::Sandbox::User=root', ...args);
}

const pidOf = async (machine: Machine): Promise<string> =>
  (await machine.must('systemctl', 'show', '--property=MainPID', '--value', 'vb365-exporter')).trim();

const counted = /^vb365_restore_events_total\{.*organization="fabrikam\.onmicrosoft\.com".*status="Failed"\} 1$/m;

describe('the .deb on a bare Debian 12 with systemd', () => {
  test('is installed, alerts within 3 minutes, survives an upgrade with its counters, and is purged', async () => {
    await inFolder(async folder => {
      const root = await unpackMachine(folder);
      const machine = await bootMachine(root);
      const simulator = await simulate({ clock: systemClock });
      const hook = await webhook();
      const address = `127.0.0.1:${String(await freePort())}`;
      const alertmanager = await startAlertmanager(folder, hook.url);
      const prometheus = await startPrometheus(folder, {
        exporters: [address],
        alertmanager: alertmanager.address,
      });
      const page = async (): Promise<string> => (await getText(`http://${address}/metrics`)).text;
      try {
        await done({ path: 'cp', args: [deb, join(root, 'root/exporter.deb')] });

        const startedAt = systemClock.monotonic();
        await apt(machine, 'install', '/root/exporter.deb');
        expect((await machine.run('systemctl', 'is-enabled', 'vb365-exporter')).output.trim()).toBe('disabled');
        configure(root, simulator.url, address);
        await machine.must('systemctl', 'enable', '--now', 'vb365-exporter');
        await eventually('the server was read', async () =>
          /^vb365_server_up\{server="hq"\} 1$/m.test(await page()) ? true : undefined,
        ).catch(async (thrown: unknown) => {
          throw new Error(`${String(thrown)}\n${(await machine.run('journalctl', '-u', 'vb365-exporter')).output}`);
        });
        restoreOf(simulator.world, fabrikam, 'Failed');
        await eventually(
          'the failure is reported',
          () =>
            hook.notifications.some(({ alerts }) =>
              alerts.some(({ labels }) => labels['alertname'] === 'VB365RestoreEventFailed'),
            )
              ? true
              : undefined,
          180_000,
        );
        const seconds = (systemClock.monotonic() - startedAt) / 1000;
        process.stdout.write(`From apt install to the first alert: ${seconds.toFixed(1)} s\n`);
        expect(seconds).toBeLessThan(180);

        const pid = await pidOf(machine);
        const status = await machine.must('cat', `/proc/${pid}/status`);
        expect(status).not.toMatch(/^Uid:\t0/m);
        expect(status).toMatch(/^CapEff:\t0+$/m);
        expect(status).toMatch(/^NoNewPrivs:\t1$/m);
        expect(existsSync(join(root, state))).toBe(true);
        const doctor = await machine.run(
          'vb365-exporter',
          'doctor',
          '--config.file',
          `/${config}`,
          '--web.listen-address',
          address,
        );
        expect(doctor.output).toMatch(/login/i);

        await machine.must('systemctl', 'reload', 'vb365-exporter');
        await eventually('it has reloaded', async () =>
          /^vb365_config_last_reload_successful 1$/m.test(await page()) && (await pidOf(machine)) === pid
            ? true
            : undefined,
        );

        expect(await page()).toMatch(counted);
        await done({ path: 'cp', args: [await nextVersion(folder), join(root, 'root/next.deb')] });
        await apt(machine, 'install', '/root/next.deb');
        expect(await pidOf(machine)).not.toBe(pid);
        await eventually('it serves the same counters', async () => (counted.test(await page()) ? true : undefined));
        expect(readFileSync(join(root, config), 'utf8')).toContain(simulator.url);

        await apt(machine, 'remove', 'vb365-exporter');
        expect((await machine.run('systemctl', 'is-active', 'vb365-exporter')).output.trim()).toBe('inactive');
        expect([existsSync(join(root, state)), existsSync(join(root, config))]).toEqual([true, true]);
        await apt(machine, 'purge', 'vb365-exporter');
        expect([existsSync(join(root, state)), existsSync(join(root, 'etc/vb365-exporter'))]).toEqual([false, false]);
      } finally {
        for (const one of [machine, prometheus, alertmanager]) await one.stop();
        await hook.close();
        await simulator.close();
      }
    });
  }, 600_000);

  test('has a manual page that man shows without a complaint, and completions', async () => {
    await inFolder(async folder => {
      await done({ path: 'dpkg-deb', args: ['-x', deb, folder] });
      const page = join(folder, 'usr/share/man/man1/vb365-exporter.1.gz');
      const plain = ['MANWIDTH=100', 'MANPAGER=cat', 'LC_ALL=C.UTF-8'];
      const { output } = await runProgram({
        path: 'env',
        args: [...plain, 'man', '--warnings=all', '--local-file', page],
      });
      expect(output).toMatch(/^COMMANDS$.*^ +serve$.*--config\.file <file>.*^ +state forget$.*^EXIT STATUS$/ms);
      expect(output).not.toMatch(/warning|<standard input>/);

      const completed = async (...words: readonly string[]): Promise<readonly string[]> => {
        const script = `source "$0"; COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _vb365_exporter; printf '%s\\n' "\${COMPREPLY[@]}"`;
        const file = join(folder, 'usr/share/bash-completion/completions/vb365-exporter');
        const command = ['-c', script, file, 'vb365-exporter', ...words];
        return (await runProgram({ path: 'bash', args: command })).output.trim().split('\n');
      };
      expect(await completed('se')).toEqual(['serve']);
      expect(await completed('state', '')).toEqual(['show', 'forget', 'copy', 'quarantine']);
      expect(await completed('serve', '--log.f')).toEqual(['--log.format']);
      expect(await completed('serve', '--log.format', '')).toEqual(['logfmt', 'json']);
    });
  });
});

/** The .rpm with a higher version. */
function nextRpm(folder: string): string {
  const next = '99.0.0';
  linuxPackages(folder, join(folder, 'stage'), 'amd64', { ...readRelease({}), version: next });
  return join(folder, `vb365-exporter-${next}-1.x86_64.rpm`);
}

describe('the .rpm on a bare system with systemd', () => {
  test('is installed, reads a server, survives an upgrade with its counters, and leaves state and configuration', async () => {
    await inFolder(async folder => {
      const root = await unpackMachine(folder);
      const machine = await bootMachine(root);
      const simulator = await simulate({ clock: systemClock });
      const address = `127.0.0.1:${String(await freePort())}`;
      const page = async (): Promise<string> => (await getText(`http://${address}/metrics`)).text;
      // The libraries are there, but Debian's; the package database of rpm does not know them.
      const install = async (how: '--install' | '--upgrade', file: string): Promise<string> => {
        await done({ path: 'cp', args: [file, join(root, 'root/exporter.rpm')] });
        return machine.must('rpm', '--nodeps', how, '/root/exporter.rpm');
      };
      try {
        await install('--install', rpm);
        expect((await machine.must('vb365-exporter', '--version')).trim()).toBe(version);
        expect((await machine.run('systemd-analyze', 'verify', 'vb365-exporter.service')).output).not.toMatch(/vb365/);
        configure(root, simulator.url, address);
        await machine.must('systemctl', 'enable', '--now', 'vb365-exporter');
        await eventually('the server was read', async () =>
          /^vb365_server_up\{server="hq"\} 1$/m.test(await page()) ? true : undefined,
        );
        restoreOf(simulator.world, fabrikam, 'Failed');
        await eventually('the failure is counted', async () => (counted.test(await page()) ? true : undefined));

        const pid = await pidOf(machine);
        await install('--upgrade', nextRpm(folder));
        expect(await pidOf(machine)).not.toBe(pid);
        await eventually('it serves the same counters', async () => (counted.test(await page()) ? true : undefined));
        expect(readFileSync(join(root, config), 'utf8')).toContain(simulator.url);

        await machine.must('rpm', '--erase', 'vb365-exporter');
        expect((await machine.run('systemctl', 'is-active', 'vb365-exporter')).output.trim()).toBe('inactive');
        expect(existsSync(join(root, 'usr/lib/vb365-exporter'))).toBe(false);
        expect(existsSync(join(root, state))).toBe(true);
        expect(readFileSync(`${join(root, config)}.rpmsave`, 'utf8')).toContain(simulator.url);
      } finally {
        await machine.stop();
        await simulator.close();
      }
    });
  }, 600_000);

  test('asks for the libraries that Node needs', async () => {
    const { output } = await runProgram({ path: toolPath('rpm'), args: ['-qp', '--requires', rpm] });
    expect(output.trim().split('\n')).toEqual([
      'libc.so.6(GLIBC_2.28)(64bit)',
      'libgcc_s.so.1(GCC_3.4)(64bit)',
      'libstdc++.so.6(GLIBCXX_3.4.21)(64bit)',
    ]);
  });
});

describe('the judges', () => {
  test('lintian has nothing to say that is not answered in the package', async () => {
    const args = ['--allow-root', '--fail-on', 'error,warning', '--tag-display-limit', '0', deb];
    expect(await runProgram({ path: toolPath('lintian'), args })).toEqual({ code: 0, output: '' });
  }, 600_000);

  test('rpmlint has nothing to say that is not answered in packaging/linux/rpmlint.toml', async () => {
    const { code, output } = await runProgram({
      path: toolPath('rpmlint'),
      args: ['--config', 'packaging/linux/rpmlint.toml', rpm],
    });
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('0 errors, 0 warnings') });
  });
});
