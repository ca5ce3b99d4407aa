import { describe, expect, test } from '@jest/globals';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { runCli } from '../../src/cli/program.js';
import type { Terminal } from '../../src/cli/terminal.js';
import { createAuthority } from '../support/authority.js';
import { inEncodings } from '../support/encodings.js';
import { inFolder } from '../support/folder.js';

async function run(argv: readonly string[], env: Terminal['env'] = {}) {
  const printed: string[] = [];
  const errors: string[] = [];
  const code = await runCli(argv, {
    env,
    print: line => void printed.push(line),
    printError: line => void errors.push(line),
    outputClosed: new AbortController().signal,
    stop: new AbortController().signal,
    onReload: () => undefined,
    version: '1.2.3',
  });
  return { code, printed, errors };
}

const server = (keys = ''): string =>
  `servers: [{ name: hq, url: 'https://vb365.example.com:4443', username: u, password_file: password${keys} }]\n`;
const tenant =
  "servers: [{ name: tenant, url: 'https://vb365.example.com:4443', client_id: c, assertion_file: assertion }]\n";
const otlp =
  "otlp: { endpoint: 'https://collector:4318', tls: { ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem } }\n";
const hashing =
  'otlp: { endpoint: http://collector:4318 }\nlogs: { personal_data: { person: hash } }\npersonal_data: { hash_key_file: key }\n';

const valid = 'The configuration is valid (servers: hq)';

/** A JWT that expires at a time in seconds. */
const jwt = (exp: number): string =>
  ['{"alg":"RS256"}', JSON.stringify({ exp }), 'x'].map(part => Buffer.from(part).toString('base64url')).join('.');

/** Writes files that only this user can read, and checks the configuration. */
async function checking(yaml: string, files: Readonly<Record<string, string | Buffer>>, flags: readonly string[] = []) {
  let found: Awaited<ReturnType<typeof run>> | undefined;
  await inFolder(async folder => {
    for (const [name, content] of Object.entries({ 'config.yaml': yaml, ...files })) {
      mkdirSync(dirname(join(folder, name)), { recursive: true });
      writeFileSync(join(folder, name), content, { mode: 0o600 });
    }
    const result = await run(['check', '--config.file', join(folder, 'config.yaml'), ...flags]);
    found = { ...result, errors: result.errors.map(line => line.replaceAll(`${folder}/`, '')) };
  });
  if (found === undefined) throw new Error('no result');
  return found;
}

const problem = (line: string) => ({
  code: 2,
  printed: [],
  errors: [`Could not use files that the configuration names:\n- ${line}`],
});

const beginningAt = (history: string): string => `${server()}history: ${history}\n`;

const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text.replaceAll('\n', '\r\n')}`, 'utf16le');

describe('vb365-exporter check', () => {
  test.each(inEncodings(server()))('accepts a configuration in $encoding', async ({ bytes }) => {
    expect(await checking(bytes.toString('latin1'), { 'config.yaml': bytes, password: 's3cret!' })).toEqual({
      code: 0,
      printed: [valid],
      errors: [],
    });
  });

  test.each([
    ['a missing password', server(), {}, 'Could not read password file "password": no such file'],
    ['an empty password', server(), { password: '\r\n' }, 'Could not use password file "password": it is empty'],
    [
      'a password in another encoding',
      server(),
      { password: Buffer.from('pässword', 'latin1') },
      'Could not read password file "password": it is not text in UTF-8 or UTF-16',
    ],
    [
      'an endless password',
      server().replace('password_file: password', 'password_file: /dev/zero'),
      {},
      'Could not read password file "/dev/zero": it is larger than 4 MiB',
    ],
    [
      'a missing CA',
      server(', tls: { ca_file: ca.pem }'),
      { password: 'x' },
      'Could not read tls.ca_file "ca.pem": no such file',
    ],
    [
      'a CA that is no certificate',
      server(', tls: { ca_file: ca.pem }'),
      { password: 'x', 'ca.pem': '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n' },
      'Could not use tls.ca_file "ca.pem": it holds no valid certificate in PEM',
    ],
    [
      'an assertion that is no JWT',
      tenant,
      { assertion: 'x' },
      'Could not use assertion file "assertion": it holds no JWT',
    ],
    [
      'a short hash key',
      server() + hashing,
      { password: 'x', key: 'x' },
      'Could not use hash key file "key": it must hold at least 16 bytes',
    ],
    [
      'a state file of another program',
      `${server()}state: { path: state.db }\n`,
      { password: 'x', 'state.db': 'x'.repeat(200) },
      expect.stringContaining('Could not use state file'),
    ],
  ] as const)('reports %s', async (_, yaml, files, line) => {
    const found = await checking(yaml, files);
    expect(found).toEqual({
      ...problem(''),
      errors: [expect.stringContaining(typeof line === 'string' ? `\n- ${line}` : 'state')],
    });
  });

  test('reports every file that cannot be used, with exit code 2', async () => {
    const { code, errors } = await checking(server(', tls: { ca_file: ca.pem }') + hashing, {});
    expect(code).toBe(2);
    expect(errors.join('\n').split('\n')).toEqual([
      'Could not use files that the configuration names:',
      expect.stringContaining('password file'),
      expect.stringContaining('tls.ca_file'),
      expect.stringContaining('hash key file'),
    ]);
  });

  test('validates the files for the receiver together', async () => {
    const authority = await createAuthority();
    const one = await authority.issue([{ type: 'dns', value: 'a' }]);
    const other = await authority.issue([{ type: 'dns', value: 'b' }]);
    const files = { password: 'x', 'ca.pem': authority.cert, 'cert.pem': one.cert, 'key.pem': one.key };
    expect(await checking(server() + otlp, files)).toEqual({ code: 0, printed: [valid], errors: [] });
    expect(await checking(server() + otlp, { ...files, 'key.pem': other.key })).toEqual(
      problem('Could not use TLS files "cert.pem" and "key.pem": they hold no certificate in PEM with its private key'),
    );
    expect(await checking(server() + otlp, { ...files, 'ca.pem': 'nonsense' })).toEqual(
      problem('Could not use TLS file "ca.pem": it holds no valid certificate in PEM'),
    );
  });

  test('accepts certificates and keys in UTF-16, as PowerShell writes them', async () => {
    const authority = await createAuthority();
    const { cert, key } = await authority.issue([{ type: 'dns', value: 'a' }]);
    const files = { 'ca.pem': utf16(authority.cert), 'cert.pem': utf16(cert), 'key.pem': utf16(key) };
    const web = 'tls_server_config: { cert_file: cert.pem, key_file: key.pem }\n';
    const yaml = server(', tls: { ca_file: ca.pem }') + otlp;
    await inFolder(async folder => {
      const webFile = join(folder, 'web.yaml');
      const all = { ...files, password: 'x' };
      for (const [name, content] of Object.entries({ ...all, 'web.yaml': utf16(web) }))
        writeFileSync(join(folder, name), content, { mode: 0o600 });
      const found = await checking(yaml, all, ['--web.config.file', webFile]);
      expect(found).toEqual({ code: 0, printed: [valid], errors: [] });
    });
  });

  test('warns about secrets that every user can read, and about what has expired', async () => {
    await inFolder(async folder => {
      const path = (name: string): string => join(folder, name);
      writeFileSync(path('config.yaml'), tenant);
      writeFileSync(path('assertion'), jwt(1_000_000_000));
      chmodSync(path('assertion'), 0o644);
      writeFileSync(path('web.yaml'), `basic_auth_users: { u: $2y$10$${'a'.repeat(53)} }\n`);
      chmodSync(path('web.yaml'), 0o604);
      const files = ['--config.file', path('config.yaml'), '--web.config.file', path('web.yaml')];
      const { code, errors } = await run(['check', ...files]);
      expect(code).toBe(0);
      expect(errors).toEqual([
        `The assertion in "${path('assertion')}" has expired`,
        `Every user of this machine can read secret file "${path('assertion')}"; restrict it with "chmod o-r"`,
        `Every user of this machine can read secret file "${path('web.yaml')}"; restrict it with "chmod o-r"`,
      ]);
    });
  });

  test('reads the file of VB365_PASSWORD_FILE', async () => {
    const account = { VB365_URL: 'https://vb365.example.com:4443', VB365_USERNAME: 'u' };
    const { code, errors } = await run(['check'], { ...account, VB365_PASSWORD_FILE: '/nonexistent/password' });
    expect({ code, errors }).toMatchObject({
      code: 2,
      errors: [expect.stringContaining('- Could not read password file "/nonexistent/password": no such file')],
    });
  });

  test('reads no file but the configuration with --syntax-only', async () => {
    expect(await checking(server(), {}, ['--syntax-only'])).toEqual({ code: 0, printed: [valid], errors: [] });
  });

  test('refuses a history in the future, and accepts one in the past', async () => {
    const { code, errors } = await checking(beginningAt('2099-01-01'), { password: 'x' });
    expect([code, errors]).toEqual([
      2,
      ['Could not read the configuration "config.yaml":\n- history: must not be in the future'],
    ]);
    expect(await checking(beginningAt('2020-01-01'), { password: 'x' })).toMatchObject({ code: 0 });
  });

  test('refuses one URL under two names', async () => {
    const again = server().replace(
      ' }]',
      " }, { name: dr, url: 'https://VB365.example.com:4443/', username: u, password_file: p }]",
    );
    const { code, errors } = await checking(again, { password: 'x' });
    expect([code, errors[0]]).toEqual([
      2,
      expect.stringContaining('- servers[1].url: is already the url of servers[0]'),
    ]);
  });

  test('warns about a state file that is in the working directory only', async () => {
    const path = 'package.json';
    const { code, errors } = await checking(`${server()}state: { path: ${path} }\n`, { password: 'x' });
    expect([code, errors]).toEqual([
      0,
      [
        expect.stringMatching(
          /^Ignoring state file ".*package\.json": "state\.path" is relative to the configuration file/,
        ),
      ],
    ]);
  });

  test.each(['a: &a [*a]', `a: ${'['.repeat(10_000)}`, `a: ${'{a: '.repeat(10_000)}`])(
    'answers broken YAML with one line (%#)',
    async yaml => {
      const { code, errors } = await checking(yaml, {});
      expect([code, errors]).toEqual([
        2,
        [expect.stringMatching(/^Could not read the configuration "config\.yaml": .*nested too deeply.*$/)],
      ]);
    },
  );

  test('does not read an endless configuration or web configuration', async () => {
    const endless = await run(['check', '--config.file', '/dev/zero']);
    expect([endless.code, endless.errors]).toEqual([
      2,
      ['Could not read configuration file "/dev/zero": it is larger than 4 MiB'],
    ]);
    const web = await checking(server(), { password: 'x' }, ['--web.config.file', '/dev/zero']);
    expect([web.code, web.errors]).toEqual([
      2,
      ['Could not read web configuration "/dev/zero": it is larger than 4 MiB'],
    ]);
  });
});
