import { describe, expect, test } from '@jest/globals';
import { parseWebConfig } from '../../src/config/web-config.js';

const hash = '$2y$10$X0h1gDsPszWURQaxFh.zoubFi6DXncSjhoQNJgRrnGs7EsimhC7zG';
const pair = 'cert_file: a.crt, key_file: a.key';
const tls = (keys: string): string => `tls_server_config: { ${pair}${keys === '' ? '' : ', '}${keys} }`;

const problems = (file: string): readonly string[] => {
  try {
    parseWebConfig(file, 'web.yml');
  } catch (thrown) {
    return thrown instanceof Error ? thrown.message.split('\n').slice(1) : [];
  }
  return [];
};

describe('a web configuration', () => {
  test('that is empty gives no protection', () => {
    expect(parseWebConfig('', 'web.yml')).toEqual({ tls: undefined, users: {}, headers: {} });
  });

  test('can contain every supported key', () => {
    const file = `
tls_server_config:
  cert_file: server.crt
  key: |
    -----BEGIN PRIVATE KEY-----
    abc
    -----END PRIVATE KEY-----
  client_ca_file: ca.crt
  client_auth_type: RequireAndVerifyClientCert
  client_allowed_sans: [prometheus.example]
  min_version: TLS13
  max_version: TLS13
basic_auth_users:
  alice: ${hash}
http_server_config:
  headers:
    X-Frame-Options: deny
    Strict-Transport-Security: max-age=31536000
`;
    expect(parseWebConfig(file, 'web.yml')).toEqual({
      tls: {
        cert: { file: 'server.crt' },
        key: { text: '-----BEGIN PRIVATE KEY-----\nabc\n-----END PRIVATE KEY-----\n' },
        clientCa: { file: 'ca.crt' },
        clientAuth: 'RequireAndVerifyClientCert',
        allowedSans: ['prometheus.example'],
        minVersion: 'TLS13',
        maxVersion: 'TLS13',
      },
      users: { alice: hash },
      headers: { 'X-Frame-Options': 'deny', 'Strict-Transport-Security': 'max-age=31536000' },
    });
  });

  test('has the defaults of exporter-toolkit', () => {
    expect(parseWebConfig(tls(''), 'web.yml').tls).toMatchObject({
      clientAuth: 'NoClientCert',
      allowedSans: [],
      minVersion: 'TLS12',
      maxVersion: 'TLS13',
    });
  });

  test.each([
    ['tls_server_config: {}', ['cert_file: is missing', 'key_file: is missing']],
    ['tls_server_config: { cert_file: a.crt }', ['key_file: is missing']],
    [tls('cert: "-----BEGIN CERTIFICATE-----"'), ['cert: must not be set together with "cert_file"']],
    [tls('key: nonsense'), ['key: must be PEM text', 'key: must not be set together with "key_file"']],
    [tls('client_ca_file: ca.crt'), ['client_auth_type: is required with a client CA']],
    [tls('client_auth_type: RequireAndVerifyClientCert'), ['client_ca_file: is required by "client_auth_type"']],
    [tls('client_auth_type: VerifyClientCertIfGiven'), ['client_ca_file: is required by "client_auth_type"']],
    [
      tls('client_auth_type: Unknown'),
      [
        'client_auth_type: must be NoClientCert, RequestClientCert, RequireAnyClientCert, VerifyClientCertIfGiven or RequireAndVerifyClientCert',
      ],
    ],
    [
      tls('client_auth_type: RequireAnyClientCert, client_allowed_sans: [a]'),
      ['client_allowed_sans: requires a "client_auth_type" that verifies certificates'],
    ],
    [tls('min_version: TLS14'), ['min_version: must be TLS10, TLS11, TLS12 or TLS13']],
    [tls('min_version: TLS13, max_version: TLS12'), ['min_version: must not be newer than "max_version"']],
  ])('is invalid: %s', (file, wanted) => {
    expect(problems(file)).toEqual(wanted.map(line => `- tls_server_config.${line}`));
  });

  test.each([
    ['tls_server_config', tls('cipher_suites: [TLS_AES_128_GCM_SHA256]'), 'tls_server_config.cipher_suites'],
    ['tls_server_config', tls('curve_preferences: [X25519]'), 'tls_server_config.curve_preferences'],
    ['tls_server_config', tls('prefer_server_cipher_suites: true'), 'tls_server_config.prefer_server_cipher_suites'],
    ['rate_limit', 'rate_limit: { interval: 1s, burst: 1 }', 'rate_limit'],
  ])('with an unsupported key of exporter-toolkit names the key: %s', (_, file, path) => {
    expect(problems(file)).toEqual([`- ${path}: is not supported by vb365-exporter; remove it`]);
  });

  test('may say that it has no HTTP/2, and may not ask for it', () => {
    expect(problems('http_server_config: { http2: false }')).toEqual([]);
    expect(problems('http_server_config: { http2: true }')).toEqual([
      '- http_server_config.http2: true is not supported by vb365-exporter; set it to false',
    ]);
  });

  test('with an unknown key names the key, and suggests another', () => {
    expect(problems('basic_auth_user: {}')).toEqual([
      '- basic_auth_user: unknown key; did you mean "basic_auth_users"?',
    ]);
    expect(problems('http_server_config: { headers: { X-Own: a } }')[0]).toContain('http_server_config.headers.X-Own');
  });

  test('does not repeat a password in place of a hash', () => {
    expect(problems('basic_auth_users: { alice: hunter2 }')).toEqual([
      '- basic_auth_users.alice: must be a bcrypt hash',
    ]);
  });
});
