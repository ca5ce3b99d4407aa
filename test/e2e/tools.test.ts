import { describe, expect, test } from '@jest/globals';
import { existsSync } from 'node:fs';
import { eventually, freePort, runProgram, startProgram, whenReady } from './support/running.js';
import { toolPath } from './support/tools.js';

describe('the real programs', () => {
  test.each([
    'prometheus',
    'promtool',
    'alertmanager',
    'amtool',
    'otelcol',
    'victoriaLogs',
    'vmalert',
    'chromium',
    'postgres',
    'pgbouncer',
  ] as const)('%s runs', async tool => {
    const { code, output } = await runProgram({ path: toolPath(tool), args: ['--version'] });
    expect({ code, output }).toMatchObject({
      code: 0,
      output: expect.stringMatching(/version|^Chromium \d|^postgres|^PgBouncer|^(?:victoria-logs|vmalert)-/m),
    });
  });

  test('Jaeger runs', async () => {
    const { code, output } = await runProgram({ path: toolPath('jaeger'), args: ['version'] });
    expect({ code, output }).toMatchObject({ code: 0, output: expect.stringContaining('"gitVersion":"v1.') });
  });

  test.each([
    ['promtool', '.ci/tools/prometheus'],
    ['amtool', '.ci/tools/alertmanager'],
    ['victoria-logs', '.ci/tools/victoria-logs'],
    ['helm', '.ci/tools/helm'],
    ['etcd', '.ci/tools/etcd'],
    ['postgres', '.ci/tools/postgresql'],
  ] as const)('a machine without %s is pointed to %s', (name, script) => {
    expect(existsSync(script)).toBe(true);
    const tool = name === 'victoria-logs' ? 'victoriaLogs' : name;
    expect(() => toolPath(tool, { PATH: '/nowhere', VB365_TOOLS: '/nowhere' })).toThrow(
      `need "${name}", which this machine lacks; get it with: bash ${script}`,
    );
  });

  test('a program that ends at once is reported with what it said', async () => {
    const running = startProgram({ path: process.execPath, args: ['--eval', 'console.error("no such thing")'] });
    await expect(whenReady(running, `http://127.0.0.1:${String(await freePort())}/`)).rejects.toThrow('no such thing');
  });

  test('a program that does not heed SIGTERM is ended all the same', async () => {
    const code = 'process.on("SIGTERM", () => undefined); console.log("up"); setInterval(() => undefined, 1000);';
    const running = startProgram({ path: process.execPath, args: ['--eval', code] });
    await eventually('it is up', () => (running.output().includes('up') ? true : undefined));
    await running.stop(100);
    expect(running.alive()).toBe(false);
  });
});
