import { describe, expect, test } from '@jest/globals';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createFile } from '../../src/store/open.js';
import { createAuthority } from '../support/authority.js';
import { checking, problem, run, server, valid } from '../support/checking.js';
import { inFolder } from '../support/folder.js';

const tenant =
  "servers: [{ name: tenant, url: 'https://vb365.example.com:4443', client_id: c, assertion_file: assertion }]\n";
const otlp =
  "otlp: { endpoint: 'https://collector:4318', tls: { ca_file: ca.pem, cert_file: cert.pem, key_file: key.pem } }\n";
const hashing =
  'otlp: { endpoint: http://collector:4318 }\nlogs: { personal_data: { person: hash } }\npersonal_data: { hash_key_file: key }\n';

/** A JWT that expires at a time in seconds. */
const jwt = (exp: number): string =>
  ['{"alg":"RS256"}', JSON.stringify({ exp }), 'x'].map(part => Buffer.from(part).toString('base64url')).join('.');

const utf16 = (text: string): Buffer => Buffer.from(`\ufeff${text.replaceAll('\n', '\r\n')}`, 'utf16le');

describe('vb365-exporter check of files', () => {
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
      'a certificate in DER',
      server(', tls: { ca_file: ca.der }'),
      { password: 'x', 'ca.der': Buffer.from('30820122300d0609', 'hex') },
      'Could not read tls.ca_file "ca.der": it is binary (DER or PKCS #12); PEM is needed',
    ],
    [
      'a directory of the state file that cannot be made',
      `${server()}state: { path: file/state.db }\n`,
      { password: 'x', file: '' },
      'Could not use state file "file/state.db": a part of its path is not a directory',
    ],
    [
      'a state file that is a directory',
      `${server()}state: { path: folder }\n`,
      { password: 'x', 'folder/file': '' },
      'Could not use state file "folder": it is a directory',
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

  test('reports a directory of the state file that nobody can create, as serve does', async () => {
    if (!existsSync('/proc/self')) return;
    const path = '/proc/vb365/state.db';
    const why = process.getuid?.() === 0 ? 'its directory cannot be created' : 'permission denied; let the user';
    const { code, errors } = await checking(`${server()}state: { path: ${path} }\n`, { password: 'x' });
    expect([code, errors]).toEqual([2, [expect.stringContaining(`- Could not use state file "${path}": ${why}`)]]);
    expect(() => createFile(path)).toThrow(`Could not create state file "${path}": ${why}`);
  });

  test('reads a web configuration that comes through a pipe once', async () => {
    await inFolder(async folder => {
      const file = join(folder, 'config.yaml');
      writeFileSync(file, server());
      writeFileSync(join(folder, 'password'), 'x', { mode: 0o600 });
      const command =
        'echo "basic_auth_users: {}" | "$0" dist/src/main.js check --config.file "$1" --web.config.file /dev/stdin';
      expect(execFileSync('/bin/sh', ['-c', command, process.execPath, file], { encoding: 'utf8' })).toBe(`${valid}\n`);
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
      problem('Could not use TLS file "key.pem": its private key does not belong to the certificate'),
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

  test('reports faults of the configuration, the web configuration and files at once', async () => {
    const flags = ['--web.config.file', '/nonexistent/web.yaml'];
    const web = 'Could not read web configuration "/nonexistent/web.yaml": no such file';
    const files = await checking(server(), {}, flags);
    expect([files.code, files.errors]).toEqual([
      2,
      [`${web}\n${problem('Could not read password file "password": no such file').errors.join()}`],
    ]);
    const keys = await checking('servers: []\n', {}, flags);
    expect([keys.code, keys.errors]).toEqual([
      2,
      [`Could not read the configuration "config.yaml":\n- servers: must list at least one server\n${web}`],
    ]);
  });

  test.each(['a\nb\n', 'a\r\nb', 'a\rb\r'])('warns about a password file with several lines: %j', async password => {
    expect(await checking(server(), { password })).toEqual({
      code: 0,
      printed: [valid],
      errors: [
        'Password file "password" has several lines; only one is expected, and the line ends are sent as part of the password',
      ],
    });
  });

  test('prints a warning once', async () => {
    const shared = `{ name: dr, url: 'https://dr.example.com:4443', username: u, password_file: password }`;
    const two = server().replace(' }]', ` }, ${shared}]`);
    expect((await checking(two, { password: 'a\nb' })).errors).toHaveLength(1);
  });
});
