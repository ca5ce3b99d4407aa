import { describe, expect, test } from '@jest/globals';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../../src/cli/program.js';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate } from '../../src/simulator/simulate.js';
import { inEncodings } from '../support/encodings.js';
import { program } from '../support/program.js';
import { inFolder } from '../support/folder.js';
import { configOf, serverConfig } from '../support/program-config.js';

async function run(argv: readonly string[]) {
  const printed: string[] = [];
  const errors: string[] = [];
  const code = await runCli(argv, {
    env: {},
    print: line => void printed.push(line),
    printError: line => void errors.push(line),
    stop: new AbortController().signal,
    outputClosed: new AbortController().signal,
    onReload: () => undefined,
    version: '1.2.3',
  });
  return { code, text: printed.join('\n'), errors };
}

/** Runs `work` with a configuration file for a simulated server. */
async function withConfig(work: (file: string, url: string, folder: string) => Promise<void>): Promise<void> {
  const simulator = await simulate({ clock: systemClock, history: { sessions: 5, eventsEach: 2, days: 1 } });
  try {
    await inFolder(async folder => {
      const file = join(folder, 'vb365-exporter.yaml');
      const password = join(folder, 'password');
      writeFileSync(password, 'simulator\n');
      const servers = [{ name: 'hq', url: simulator.url, username: 'simulator', password_file: password }];
      writeFileSync(file, JSON.stringify({ servers, state: { path: join(folder, 'state.db') } }));
      await work(file, simulator.url, folder);
    });
  } finally {
    await simulator.close();
  }
}

const flags = (file: string, port = 0): readonly string[] => [
  '--config.file',
  file,
  '--web.listen-address',
  `127.0.0.1:${String(port)}`,
];

describe('vb365-exporter doctor', () => {
  test('exits with 0 when all checks pass, and prints a line for each', async () => {
    await withConfig(async (file, url) => {
      const { code, text } = await run(['doctor', ...flags(file)]);
      expect(code).toBe(0);
      expect(text).toContain(`server hq (${url})`);
      expect(text).toMatch(/^ {2}ok {7}login {8}logged in/m);
      expect(text).toMatch(/^\d+ ok, 0 warning, 0 failed, \d skipped$/m);
    });
  });

  test.each(inEncodings('simulator\r\n'))('logs in with a password file in $encoding', async ({ bytes }) => {
    await withConfig(async (file, _url, folder) => {
      writeFileSync(join(folder, 'password'), bytes);
      const { code, text } = await run(['doctor', ...flags(file)]);
      expect(text).toMatch(/^ {2}ok {7}login {8}logged in/m);
      expect(code).toBe(0);
    });
  });

  test.each([
    ['is missing', undefined, 'create the file or correct its path; a relative path starts at the directory of'],
    ['is empty', '\r\n', 'write the secret into the file'],
    ['is in another encoding', Buffer.from('pässword', 'latin1'), 'save the file as UTF-8'],
  ])('gives advice that fits a password file that %s', async (_, content, advice) => {
    await withConfig(async (file, _url, folder) => {
      rmSync(join(folder, 'password'));
      if (content !== undefined) writeFileSync(join(folder, 'password'), content);
      const { code, text } = await run(['doctor', ...flags(file)]);
      expect(code).toBe(1);
      expect(text).toMatch(/^ {2}failed {3}login {8}Could not (read|use) password file/m);
      expect(text).toContain(`-> ${advice}`);
      expect(text).not.toContain('MFA');
    });
  });

  test('reports each file that cannot be used although the server does not answer', async () => {
    await inFolder(async folder => {
      const file = join(folder, 'vb365-exporter.yaml');
      const ofServer = { password_file: 'none', tls: { ca_file: 'ca.pem' } };
      const servers = [{ name: 'hq', url: 'https://127.0.0.1:9', username: 'u', ...ofServer }];
      const hashing = { logs: { personal_data: { item: 'hash' } }, personal_data: { hash_key_file: 'key' } };
      const otlp = { endpoint: 'http://127.0.0.1:9' };
      writeFileSync(file, JSON.stringify({ servers, otlp, ...hashing, state: { path: 'state.db' } }));
      const { text } = await run(['doctor', ...flags(file)]);
      const failed = [...text.matchAll(/^ {2}failed {3}files {8}Could not read (.+) "/gm)].map(match => match[1]);
      expect(failed).toEqual(['password file', 'tls.ca_file', 'hash key file']);
    });
  });

  test('exits with 1 when a check fails, also with --json', async () => {
    await withConfig(async (file, _url, folder) => {
      writeFileSync(join(folder, 'password'), 'wrong\n');
      const { code, text } = await run(['doctor', '--json', ...flags(file)]);
      expect(code).toBe(1);
      expect(JSON.parse(text)).toMatchObject({
        ok: false,
        reports: [
          {
            subject: expect.stringContaining('server hq'),
            results: expect.arrayContaining([
              { check: 'login', status: 'failed', message: expect.any(String), advice: expect.any(String) },
              { check: 'feed', status: 'skipped', message: 'because "login" failed' },
            ]),
          },
          { subject: 'exporter' },
        ],
      });
    });
  });

  test.each([
    ['an unknown flag', ['doctor', '--nonsense']],
    ['a missing configuration file', ['doctor', '--config.file', '/nonexistent.yaml']],
  ])('exits with 2 for %s', async (_, argv) => {
    expect((await run(argv)).code).toBe(2);
  });

  test('reports a running exporter as healthy, and does not disturb it', async () => {
    await withConfig(async (file, url, folder) => {
      const app = await program(configOf(folder, serverConfig(url, { apiVersion: 'auto' })));
      try {
        const { code, text } = await run(['doctor', ...flags(file, app.listening.port)]);
        expect(text).toContain('in use by a healthy exporter');
        expect(code).toBe(0);
        expect((await app.get('/-/healthy')).status).toBe(200);
      } finally {
        await app.stop(5_000);
      }
    });
  });
});
