import { describe, expect, test } from '@jest/globals';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds } from '../../src/model/time.js';
import { heldAnswer, onExporterStage } from '../support/exporter-stage.js';
import { inFolder } from '../support/folder.js';
import { onPastStage } from '../support/past.js';
import { until } from '../support/until.js';
import { ask } from '../support/web.js';

const testMs = 60_000;

describe('serve goes on when nobody reads its log any more', () => {
  test(
    'it serves metrics, logs failures to nobody, and ends with 0 after the delivery that is under way',
    async () => {
      await onExporterStage(async ({ simulator: { world }, receiver, start }) => {
        const child = start('--log.level', 'debug');
        const port = await child.listening;
        const polls = async (): Promise<number> => {
          const { body } = await ask(port, '/metrics');
          return Number(/^vb365_polls_total\{server="hq",result="complete"\} (\d+)$/m.exec(body)?.[1]);
        };
        await until(async () => (await polls()) >= 1, testMs);
        child.closeLog();
        const before = await polls();
        const now = milliseconds(systemClock.now() + 1_000);
        const { id } = world.addSession({ createdAt: now });
        await until(async () => (await polls()) > before, testMs);
        const { hold, held } = heldAnswer();
        receiver.answers.push(hold);
        world.appendEvent(id, { startedAt: now, type: 'Restore' });
        const answer = await held;
        child.kill('SIGTERM');
        await ask(port, '/-/healthy');
        answer();
        expect(await child.ended).toBe(0);
        expect(receiver.records()).toHaveLength(1);
      });
    },
    testMs,
  );

  test.each(['/dev/full', 'closed'])(
    'from the start: standard streams are %s',
    async streams => {
      if (streams === '/dev/full' && !existsSync(streams)) return;
      await inFolder(async folder => {
        const file = configIn(folder);
        const to = streams === 'closed' ? '>&- 2>&-' : '> /dev/full 2> /dev/full';
        const command = `exec "$0" dist/src/main.js --config.file "$1" --web.listen-address 127.0.0.1:"$2" ${to}`;
        const port = await freePort();
        const child = spawn('/bin/sh', ['-c', command, process.execPath, file, String(port)], { stdio: 'ignore' });
        const ended = once(child, 'exit');
        await healthyAt(port);
        child.kill('SIGTERM');
        expect(await ended).toEqual([0, null]);
      });
    },
    testMs,
  );
});

test(
  'a reader that stops reading the log does not keep serve from ending',
  async () => {
    await inFolder(async folder => {
      const file = configIn(folder);
      const port = await freePort();
      const flags = ['--config.file', file, '--web.listen-address', `127.0.0.1:${String(port)}`];
      const child = spawn(process.execPath, ['dist/src/main.js', ...flags], { stdio: ['ignore', 'ignore', 'pipe'] });
      const ended = once(child, 'exit');
      await healthyAt(port);
      writeFileSync(file, Array.from({ length: 5_000 }, (_, key) => `key${String(key)}: 1\n`).join(''));
      child.kill('SIGHUP');
      await until(async () => (await ask(port, '/metrics')).body.includes('vb365_config_last_reload_successful 0'));
      child.kill('SIGTERM');
      expect(await ended).toEqual([0, null]);
      child.stderr.destroy();
    });
  },
  testMs,
);

describe('a command whose output nobody reads any more ends quietly', () => {
  test.each([
    ['--help', 0],
    ['check', 0],
    ['doctor', 1],
    ['demo', 0],
  ])(
    '%s: exit %d',
    async (command, code) => {
      await inFolder(async folder => {
        const flags = command === 'check' || command === 'doctor' ? ['--config.file', configIn(folder)] : [];
        const address = command === 'demo' || command === 'doctor' ? ['--web.listen-address', '127.0.0.1:0'] : [];
        const child = spawn(process.execPath, ['dist/src/main.js', command, ...flags, ...address], {
          stdio: ['ignore', 'pipe', 'pipe'],
        });
        const errors: string[] = [];
        createInterface(child.stderr).on('line', line => errors.push(line));
        const ended = once(child, 'exit');
        await once(child.stdout, 'data');
        child.stdout.destroy();
        expect([await ended, errors]).toEqual([[code, null], []]);
      });
    },
    testMs,
  );

  test.each([
    ['goes away: exit 0, quietly', 0, ''],
    ['does not go on, and it is told to stop: exit 1', 1, 'Could not finish: interrupted\n'],
  ])(
    'backfill waits for its reader, and memory stays small; the reader %s',
    async (_what, code, said) => {
      if (!existsSync('/proc')) return;
      const history = { sessions: 300, eventsEach: 12, days: 300 };
      await onPastStage({ history }, { state: { path: 'none.db' } }, async ({ folder }) => {
        const flags = ['--to', 'now', '--out', '-', '--config.file', join(folder, 'config.yaml')];
        const child = spawn(process.execPath, ['dist/src/main.js', 'backfill', ...flags], { stdio: 'pipe' });
        const errors: string[] = [];
        child.stderr.on('data', chunk => errors.push(String(chunk)));
        const ended = once(child, 'close');
        await once(child.stdout, 'readable');
        const cpu = (): string =>
          readFileSync(`/proc/${String(child.pid)}/stat`, 'utf8')
            .split(' ')
            .slice(13, 15)
            .join(' ');
        let [before, still] = ['', 0];
        await until(() => {
          const now = cpu();
          [before, still] = [now, now === before ? still + 1 : 0];
          return still === 25;
        }, testMs);
        const [, peakKb = ''] = /VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${String(child.pid)}/status`, 'utf8')) ?? [];
        expect(Number(peakKb)).toBeLessThan(250_000);
        if (code === 0) child.stdout.destroy();
        else child.kill('SIGTERM');
        expect([await ended, errors.join('').replace(/^hq: .*\n/, '')]).toEqual([[code, null], said]);
      });
    },
    testMs,
  );

  test.each([
    ['report', []],
    ['backfill', ['--to', 'now', '--out', '-']],
  ])('%s to a full disk fails', async (command, flags) => {
    await onPastStage({}, {}, async ({ folder }) => {
      const full = openSync('/dev/full', 'w');
      const argv = ['dist/src/main.js', command, ...flags, '--config.file', join(folder, 'config.yaml')];
      const child = spawn(process.execPath, argv, { stdio: ['ignore', full, 'pipe'] });
      const errors: string[] = [];
      child.stderr?.on('data', chunk => errors.push(String(chunk)));
      expect(await once(child, 'close')).toEqual([1, null]);
      expect(errors.join('')).toBe('Could not write to standard output: no space left on the device\n');
      closeSync(full);
    });
  });

  test('an error that nobody reads has the same exit code', async () => {
    const full = openSync('/dev/full', 'w');
    const child = spawn(process.execPath, ['dist/src/main.js', 'dance'], { stdio: ['ignore', 'ignore', full] });
    expect(await once(child, 'exit')).toEqual([2, null]);
    closeSync(full);
  });
});

const healthyAt = async (port: number): Promise<void> =>
  until(
    async () =>
      ask(port, '/-/healthy').then(
        ({ status }) => status === 200,
        () => false,
      ),
    testMs,
  );

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise(resolve => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}

/** A configuration file for a server that does not run. */
function configIn(folder: string): string {
  const file = join(folder, 'vb365-exporter.yaml');
  writeFileSync(join(folder, 'password'), 'simulator', { mode: 0o600 });
  const server = { name: 'hq', url: 'http://127.0.0.1:9', username: 'simulator', password_file: 'password' };
  writeFileSync(file, JSON.stringify({ servers: [server], state: { path: 'state.db' } }));
  return file;
}
