import { describe, expect, test } from '@jest/globals';
import { configEquals } from '../../src/config/compare.js';
import { parseConfig } from '../../src/config/parse.js';
import { environment, fromFile, problems, serverWhere, serverWith } from '../support/config.js';

describe('the connection to a server', () => {
  const hex = 'ab'.repeat(32);
  const pairs = Array.from({ length: 32 }, () => 'AB').join(':');

  test.each([
    ['tls: { ca_file: /ca.pem }', { caFile: '/ca.pem', serverFingerprint: undefined, insecureSkipVerify: false }],
    [`tls: { server_fingerprint: ${hex} }`, { caFile: undefined, serverFingerprint: hex, insecureSkipVerify: false }],
    [
      `tls: { server_fingerprint: "${pairs}" }`,
      { caFile: undefined, serverFingerprint: pairs, insecureSkipVerify: false },
    ],
    [
      'tls: { insecure_skip_verify: true }',
      { caFile: undefined, serverFingerprint: undefined, insecureSkipVerify: true },
    ],
    ['tls:', { caFile: undefined, serverFingerprint: undefined, insecureSkipVerify: false }],
  ])('verifies the certificate as in %s', (line, tls) => {
    expect(fromFile(serverWith(line)).servers[0]?.tls).toEqual(tls);
  });

  test('can log in with an assertion', () => {
    const file = serverWhere('username', 'client_id: app-1').replace('password_file', 'assertion_file');
    expect(fromFile(file).servers[0]?.login).toEqual({
      kind: 'assertion',
      clientId: 'app-1',
      secret: { file: '/run/secrets/vb365-password' },
    });
  });

  test.each<[string, Record<string, string>, string | undefined]>([
    ['', {}, undefined],
    ['', { HTTPS_PROXY: 'http://u:p@proxy:3128' }, 'http://u:p@proxy:3128'],
    ['', { HTTPS_PROXY: 'http://upper:1', https_proxy: 'http://lower:1' }, 'http://lower:1'],
    ['', { HTTPS_PROXY: 'proxy:3128' }, 'http://proxy:3128'],
    ['', { HTTPS_PROXY: 'u:p@proxy:3128' }, 'http://u:p@proxy:3128'],
    ['', { HTTPS_PROXY: '[fd00::1]:3128' }, 'http://[fd00::1]:3128'],
    ['', { HTTPS_PROXY: '', NO_PROXY: '*' }, undefined],
    ['', { HTTPS_PROXY: 'socks5://a', NO_PROXY: '*' }, undefined],
    ['', { HTTPS_PROXY: 'http://a:1', NO_PROXY: '*', no_proxy: 'other' }, 'http://a:1'],
    ['proxy_url: https://own:3128/', { HTTPS_PROXY: 'socks5://a', NO_PROXY: '*' }, 'https://own:3128/'],
    ['proxy_url: own:3128', {}, 'http://own:3128'],
    ['', { HTTP_PROXY: 'http://a:1' }, undefined],
  ])('uses the proxy of %j and %j', (line, env, wanted) => {
    expect(fromFile(serverWith(line), env).servers[0]?.proxy?.url.reveal()).toBe(wanted);
  });

  test('is direct for http, unless the server has a proxy', () => {
    const local = serverWhere('url', 'url: http://localhost:4443');
    const env = { HTTPS_PROXY: 'http://a:1' };
    expect(fromFile(local, env).servers[0]?.proxy).toBeUndefined();
    expect(fromFile(`${local}    proxy_url: http://own:1\n`, env).servers[0]?.proxy).toBeDefined();
  });

  test('of a server from the environment uses the same proxy', () => {
    const env = { ...environment, HTTPS_PROXY: 'http://a:1' };
    expect(parseConfig({ env }).servers[0]?.proxy?.url.reveal()).toBe('http://a:1');
  });
});

const sha = 'must be a SHA-256 fingerprint: 64 hexadecimal digits, with or without colons between pairs';
const proxy =
  'must be a URL such as http://proxy.example.com:3128, without credentials (set HTTPS_PROXY for a proxy that needs them)';
const text = 'must be text, not empty and without control characters';

describe('invalid connection settings give exactly this error', () => {
  test.each([
    [
      'an assertion without its file',
      serverWhere('username', 'client_id: app').replace(/ +password_file.*\n/, ''),
      'servers[0].assertion_file: is missing',
    ],
    [
      'an assertion without application',
      serverWhere('username', 'assertion_file: a').replace(/ +password_file.*\n/, ''),
      'servers[0].client_id: is missing',
    ],
    [
      'an assertion for an account',
      `${serverWhere('password_file', 'client_id: app')}    assertion_file: a\n`,
      'servers[0].username: must not be set together with "client_id" or "assertion_file"',
    ],
    [
      'a fingerprint of MD5',
      serverWith('tls: { server_fingerprint: "00:11" }'),
      `servers[0].tls.server_fingerprint: ${sha}`,
    ],
    [
      'a fingerprint with a prefix',
      serverWith(`tls: { server_fingerprint: "sha256:${'ab'.repeat(32)}" }`),
      `servers[0].tls.server_fingerprint: ${sha}`,
    ],
    [
      'two kinds of trust',
      serverWith('tls: { ca_file: /ca.pem, insecure_skip_verify: true }'),
      'servers[0].tls: must not have more than one of "ca_file", "server_fingerprint" and "insecure_skip_verify"',
    ],
    ['an empty CA file', serverWith('tls: { ca_file: "" }'), `servers[0].tls.ca_file: ${text}`],
    [
      'trust without TLS',
      `${serverWhere('url', 'url: http://localhost')}    tls: { ca_file: /ca.pem }\n`,
      'servers[0].tls: must not be set: the URL is http://, without TLS',
    ],
    [
      'a misspelt TLS key',
      serverWith('tls: { cafile: a }'),
      'servers[0].tls.cafile: unknown key; did you mean "ca_file"?',
    ],
    ['a proxy with credentials', serverWith('proxy_url: http://u:p@proxy:3128'), `servers[0].proxy_url: ${proxy}`],
  ])('%s', (_, file, problem) => {
    expect(problems({ file, env: {} })).toEqual([problem]);
  });

  test.each([
    [
      'a proxy of another kind',
      { https_proxy: 'socks5://a' },
      'https_proxy: must be a URL such as http://proxy.example.com:3128; SOCKS and other kinds of proxy are not supported',
    ],
  ])('%s in the environment', (_, env, problem) => {
    expect(problems({ env: { ...environment, ...env } })).toEqual([problem]);
  });
});

test('variables of an environment file from Windows mean the same', () => {
  const windows = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, `${value}\r`]));
  expect(configEquals(parseConfig({ env: windows }), parseConfig({ env: environment }))).toBe(true);
  expect(
    configEquals(parseConfig({ env: windows }), parseConfig({ env: { ...environment, VB365_PASSWORD: 'x' } })),
  ).toBe(false);
});
