import { describe, expect, test } from '@jest/globals';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCli } from '../../src/cli/program.js';
import type { Terminal } from '../../src/cli/terminal.js';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate } from '../../src/simulator/simulate.js';
import { createAuthority } from '../support/authority.js';
import { inFolder } from '../support/folder.js';
import { until } from '../support/until.js';

type Run = { code: Promise<number>; printed: string[]; errors: string[]; stop: AbortController };

function run(argv: readonly string[], env: Terminal['env'] = {}): Run {
  const printed: string[] = [];
  const errors: string[] = [];
  const stop = new AbortController();
  const code = runCli(argv, {
    env,
    print: line => void printed.push(line),
    printError: line => void errors.push(line),
    stop: stop.signal,
    outputClosed: new AbortController().signal,
    onReload: () => undefined,
    version: '1.2.3',
  });
  return { code, printed, errors, stop };
}

const goodConfig = (folder: string, url: string): string => {
  const path = join(folder, 'vb365-exporter.yaml');
  writeFileSync(join(folder, 'password'), 'simulator\n');
  writeFileSync(
    path,
    JSON.stringify({
      servers: [{ name: 'hq', url, username: 'simulator', password_file: join(folder, 'password') }],
      state: { path: join(folder, 'state.db') },
    }),
  );
  return path;
};

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', () => resolve()));
  const { port } = server.address() as AddressInfo;
  await new Promise(resolve => server.close(resolve));
  return port;
}

const demoFor = (duration: string): Run => run(['demo', '--for', duration, '--web.listen-address', '127.0.0.1:0']);

describe('the command line', () => {
  test('prints its version and its help', async () => {
    const version = run(['--version']);
    expect([await version.code, version.printed]).toEqual([0, ['1.2.3']]);
    const help = run(['--help']);
    expect(await help.code).toBe(0);
    for (const command of ['serve', 'demo', 'check', 'doctor', 'simulate', 'healthcheck'])
      expect(help.printed.join('\n')).toContain(command);
  });

  test('the help lists the options of serve, which is the default command', async () => {
    const [help, serve] = [run(['--help']), run(['serve', '--help'])];
    expect([await help.code, await serve.code]).toEqual([0, 0]);
    const options = serve.printed.join('\n').matchAll(/^ {2}(?:-h, )?(--[\w.-]+)/gm);
    for (const [, option = ''] of options) expect(help.printed.join('\n')).toContain(option);
    expect(help.printed.join('\n')).toContain('--config.file <file>');
  });

  test.each([['--help'], ['check', '--help'], ['state', '--help'], ['state', 'show', '--help']])(
    'help prints what the option does: %s %s',
    async (...argv) => {
      const [option, command] = [run(argv), run(['help', ...argv.slice(0, -1)])];
      expect([await option.code, await command.code]).toEqual([0, 0]);
      expect(command.printed).toEqual(option.printed);
    },
  );

  test('the help of simulate says how to log in', async () => {
    const help = run(['simulate', '--help']);
    expect(await help.code).toBe(0);
    expect(help.printed.join(' ').replace(/\s+/g, ' ')).toContain('user name "simulator" and password "simulator"');
  });

  test.each([
    [['--nonsense']],
    [['dance']],
    [['demo', '--for', 'long']],
    [['simulate', '--port', 'x']],
    [['--log.level', 'loud']],
    [['--web.listen-address', 'nowhere', '--config.file', '/nonexistent.yaml']],
  ])('%j is a usage error: exit 2', async argv => {
    const { code, errors } = run(argv);
    expect(await code).toBe(2);
    expect(errors.length).toBeGreaterThan(0);
  });

  test.each([
    [['chek'], "unknown command 'chek'; did you mean 'check'?"],
    [['state', 'shwo'], "unknown command 'shwo'; did you mean 'show'?"],
    [['--confg.file', 'x'], "unknown option '--confg.file'; did you mean '--config.file'?"],
    [['dance'], "unknown command 'dance'"],
    [['chek', '--help'], "unknown command 'chek'; did you mean 'check'?"],
    [['help', 'chek'], "unknown command 'chek'; did you mean 'check'?"],
    [['chek', '--config.file', 'x'], "unknown command 'chek'; did you mean 'check'?"],
    [['--config.file', 'x', 'check'], "unexpected argument 'check'; a command comes before its options"],
    [
      ['simulate', '--port', '99999'],
      "option '--port <port>' argument '99999' is invalid. Must be a port, 0 to 65535.",
    ],
    [['simulate', '--pace', '0'], "option '--pace <factor>' argument '0' is invalid. Must be at least 1."],
    [
      ['healthcheck', '--web.listen-address', ':99999'],
      expect.stringMatching(/^Could not read the listen address ":99999".*$/),
    ],
  ])('%j is unknown: one line, with a suggestion when a name is near', async (argv, message) => {
    const { code, errors } = run(argv);
    expect([await code, errors]).toEqual([2, [message]]);
  });

  test('a bad telemetry path is refused before anything is created: exit 2', async () => {
    await inFolder(async folder => {
      const file = join(folder, 'vb365-exporter.yaml');
      const url = 'https://vb365.example.com:4443';
      writeFileSync(
        file,
        `servers: [{ name: hq, url: '${url}', username: u, password_file: p }]\nstate: { path: s.db }\n`,
      );
      const { code, errors } = run(['--config.file', file, '--web.telemetry-path=metrics']);
      expect(await code).toBe(2);
      expect(errors).toEqual(['Could not serve metrics at "metrics": it must begin with "/" and be a plain path']);
      expect(readdirSync(folder)).toEqual(['vb365-exporter.yaml']);
    });
  });

  test.each([
    ['servers: [', /Could not read the configuration/],
    ['servers: [{ name: hq }]', /url/],
  ])('an invalid configuration file is named: exit 2 (%#)', async (text, wanted) => {
    await inFolder(async folder => {
      const file = join(folder, 'bad.yaml');
      writeFileSync(file, text);
      for (const command of ['check', 'serve']) {
        const { code, errors } = run([command, '--config.file', file]);
        expect(await code).toBe(2);
        expect(errors.join('\n')).toMatch(wanted);
        expect(errors.join('\n')).not.toContain('    at ');
      }
    });
  });

  test('a missing configuration file, or a directory, is one line', async () => {
    await inFolder(async folder => {
      const missing = run(['check', '--config.file', join(folder, 'none.yaml')]);
      expect(await missing.code).toBe(2);
      expect(missing.errors).toEqual([expect.stringContaining('no such file')]);
      const directory = run(['check'], { VB365_CONFIG_FILE: folder });
      expect(await directory.code).toBe(2);
      expect(directory.errors).toEqual([expect.stringContaining('it is a directory')]);
    });
  });

  test('a valid configuration is reported as valid', async () => {
    await inFolder(async folder => {
      const file = goodConfig(folder, 'https://vb365.example.com:4443');
      const { code, printed } = run(['check', '--config.file', file]);
      expect([await code, printed]).toEqual([0, ['The configuration is valid (servers: hq)']]);
    });
  });

  test('the environment alone can describe one server', async () => {
    const env = { VB365_URL: 'https://backup.example.com:4443', VB365_USERNAME: 'u', VB365_PASSWORD: 'canary' };
    const { code, printed } = run(['check'], env);
    expect(await code).toBe(0);
    expect(printed.join('')).toBe('The configuration is valid (servers: backup.example.com)');
  });

  test('serves until it should stop, is healthy while it runs, and exits with 0', async () => {
    await inFolder(async folder => {
      const simulator = await simulate({ clock: systemClock });
      const file = goodConfig(folder, simulator.url);
      const serving = run(['--config.file', file, '--web.listen-address', '127.0.0.1:0']);
      const port = async (): Promise<string> => {
        await until(() => /port=\d+/.test(serving.errors.join('\n')));
        return /port=(\d+)/.exec(serving.errors.join('\n'))?.[1] ?? '';
      };
      const address = `127.0.0.1:${await port()}`;
      const [line = ''] = serving.errors.filter(error => error.includes('msg=Listening'));
      expect(line.replace(/^.*version=/, 'version=').trimEnd()).toBe(
        `version=1.2.3 config_file=${file} servers=hq state=${join(folder, 'state.db')} metrics=http://${address}/metrics otlp_logs=off otlp_traces=off`,
      );
      const healthy = run(['healthcheck', '--web.listen-address', address]);
      expect(await healthy.code).toBe(0);
      serving.stop.abort();
      expect(await serving.code).toBe(0);
      const gone = run(['healthcheck', '--web.listen-address', address]);
      expect([await gone.code, gone.errors]).toEqual([1, ['Not healthy: connection failed']]);
      await simulator.close();
    });
  });

  test('serves over TLS with a web configuration, and the health check accepts it', async () => {
    await inFolder(async folder => {
      const authority = await createAuthority();
      const { cert, key } = await authority.issue([{ type: 'dns', value: 'localhost' }]);
      writeFileSync(join(folder, 'server.crt'), cert);
      writeFileSync(join(folder, 'server.key'), key);
      writeFileSync(join(folder, 'ca.crt'), authority.cert);
      const web = join(folder, 'web.yml');
      const certificates = 'cert_file: server.crt, key_file: server.key';
      const address = `127.0.0.1:${String(await freePort())}`;
      for (const clients of ['', ', client_ca_file: ca.crt, client_auth_type: RequireAndVerifyClientCert']) {
        writeFileSync(web, `tls_server_config: { ${certificates}${clients} }`);
        const flags = ['--web.listen-address', address, '--web.config.file', web];
        const served = run(['--config.file', goodConfig(folder, 'http://127.0.0.1:9'), ...flags]);
        await until(async () => (await run(['healthcheck', ...flags]).code) === 0);
        expect(await run(['healthcheck', '--web.listen-address', address]).code).toBe(1);
        served.stop.abort();
        expect(await served.code).toBe(0);
      }
    });
  });

  test.each([['check'], ['serve'], ['healthcheck']])(
    '%s rejects an invalid web configuration: exit 2',
    async command => {
      await inFolder(async folder => {
        const web = join(folder, 'web.yml');
        writeFileSync(web, 'rate_limit: {}');
        const config = command === 'healthcheck' ? [] : ['--config.file', goodConfig(folder, 'http://127.0.0.1:9')];
        const { code, errors } = run([command, ...config, '--web.config.file', web]);
        expect(await code).toBe(2);
        expect(errors.join('\n')).toContain('rate_limit: is not supported by vb365-exporter; remove it');
      });
    },
  );

  test('a port in use is one line and exit 1', async () => {
    await inFolder(async folder => {
      const other = createServer();
      await new Promise<void>(resolve => other.listen(0, '127.0.0.1', () => resolve()));
      const address = `127.0.0.1:${String((other.address() as AddressInfo).port)}`;
      const file = goodConfig(folder, 'http://127.0.0.1:9');
      const { code, errors } = run(['--config.file', file, '--web.listen-address', address]);
      expect(await code).toBe(1);
      expect(errors.filter(line => !line.includes('level=info'))).toEqual([
        expect.stringContaining('the address is already in use'),
      ]);
      await new Promise(resolve => other.close(resolve));
    });
  });

  test('simulates a server until it should stop', async () => {
    const { code, printed, stop } = run(['simulate', '--port', '0', '--sessions', '2']);
    await until(() => printed.length === 1);
    expect(printed[0]).toMatch(/http:\/\/127\.0\.0\.1:\d+/);
    stop.abort();
    expect(await code).toBe(0);
  });

  test('demo prints log records as they arrive, a foreign access among them, then the restore series, and exits with 0', async () => {
    const counted = /^vb365_restore_events_total\{server="demo",.*\} [1-9]/m;
    const foreign = /\[contoso\.onmicrosoft\.com Vex \w+\] owner=".+" relation=other$/m;
    const short = demoFor('3s');
    await short.code;
    // A busy machine may not count an event in 3 s.
    const shown = short.printed.join('\n');
    const { code, printed, errors } = counted.test(shown) && foreign.test(shown) ? short : demoFor('30s');
    expect(await code).toBe(0);
    expect(errors).toEqual([]);
    expect(printed[0]).toMatch(/^Metrics: http:\/\/127\.0\.0\.1:\d+\/metrics/);
    expect(printed.join('\n')).toMatch(/^\S+Z (INFO|WARN|ERROR) /m);
    expect(printed.join('\n')).toMatch(counted);
    expect(printed.join('\n')).toMatch(foreign);
    expect(printed.join('\n')).not.toMatch(/\] relation=/);
  });
});
