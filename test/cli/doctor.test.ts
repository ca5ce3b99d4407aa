import { describe, expect, test } from '@jest/globals';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../../src/cli/program.js';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate } from '../../src/simulator/simulate.js';
import { configOf, inFolder, program, serverConfig } from '../support/program.js';

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
