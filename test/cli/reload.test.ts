import { describe, expect, test } from '@jest/globals';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { onExporterStage } from '../support/exporter-stage.js';
import { until } from '../support/until.js';
import { ask } from '../support/web.js';

/** Changes the configuration file of the stage. */
function rewrite(folder: string, change: (text: string) => string): void {
  const file = join(folder, 'vb365-exporter.yaml');
  writeFileSync(file, change(readFileSync(file, 'utf8')));
}

const renamed = (text: string): string => text.replace('"hq"', '"main"');

describe('the process', () => {
  test('reloads its file on SIGHUP, and keeps the current configuration when the file is invalid', async () => {
    await onExporterStage(async ({ folder, start }) => {
      const exporter = start();
      const port = await exporter.listening;
      const has = async (text: string): Promise<boolean> => (await ask(port, '/metrics')).body.includes(text);
      await until(async () => has('vb365_server_up{server="hq"} 1'));
      rewrite(folder, renamed);
      exporter.kill('SIGHUP');
      await until(async () => has('vb365_server_up{server="main"} 1'));
      expect(await has('vb365_server_up{server="hq"}')).toBe(false);
      rewrite(folder, text => text.replace('"main"', '"main", "nonsense": 1'));
      exporter.kill('SIGHUP');
      await until(async () => has('vb365_config_last_reload_successful 0'));
      expect(await has('vb365_server_up{server="main"} 1')).toBe(true);
      expect(exporter.said.filter(line => line.includes('Configuration reload failed'))).toHaveLength(1);
      exporter.kill('SIGTERM');
      expect(await exporter.ended).toBe(0);
    });
  });

  test('accepts POST and PUT /-/reload with --web.enable-lifecycle, and returns 500 with the reason', async () => {
    await onExporterStage(async ({ folder, start }) => {
      const exporter = start('--web.enable-lifecycle');
      const port = await exporter.listening;
      rewrite(folder, renamed);
      expect(await ask(port, '/-/reload', 'POST')).toMatchObject({ status: 200, body: 'Configuration reloaded\n' });
      expect((await ask(port, '/-/reload', 'PUT')).status).toBe(200);
      rewrite(folder, text => text.replace('"main"', '"main", "nonsense": 1'));
      const refused = await ask(port, '/-/reload', 'POST');
      expect(refused).toMatchObject({ status: 500, body: expect.stringContaining('nonsense') });
    });
  });

  test('without the flag forbids the reload', async () => {
    await onExporterStage(async ({ folder, start }) => {
      const exporter = start();
      const port = await exporter.listening;
      rewrite(folder, renamed);
      expect((await ask(port, '/-/reload', 'POST')).status).toBe(403);
      expect((await ask(port, '/metrics')).body).not.toContain('server="main"');
    });
  });
});
