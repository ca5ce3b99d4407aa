import { describe, expect, test } from '@jest/globals';
import { configJsonSchema, itemsOf, type JsonSchema, propertiesOf } from '../../docs/src/config-markdown.js';
import { parseConfig } from '../../src/config/parse.js';

const file = `
servers:
  - { name: hq, url: 'https://a:4443', username: u, password_file: password, tls: { ca_file: ../ca.pem } }
  - { name: tenant, url: 'https://b:4443', client_id: c, assertion_file: ./assertion }
state: { path: data/state.db }
personal_data: { hash_key_file: key }
otlp:
  endpoint: https://collector:4318
  tls: { ca_file: otlp/ca.pem, cert_file: otlp/client.pem, key_file: /keys/client.key }
`;

describe('a relative path', () => {
  test('of the configuration file starts at the directory of that file', () => {
    const { servers, state, hashKeyFile, logs } = parseConfig({ file, fileName: '/etc/vb365/config.yaml', env: {} });
    expect(servers.map(({ login }) => login.secret)).toEqual([
      { file: '/etc/vb365/password' },
      { file: '/etc/vb365/assertion' },
    ]);
    expect(servers[0]?.tls.caFile).toBe('/etc/ca.pem');
    expect(state.path).toBe('/etc/vb365/data/state.db');
    expect(hashKeyFile).toBe('/etc/vb365/key');
    expect(logs?.tls).toEqual({
      caFile: '/etc/vb365/otlp/ca.pem',
      certFile: '/etc/vb365/otlp/client.pem',
      keyFile: '/keys/client.key',
    });
  });

  test('of the connection to PostgreSQL starts there too', () => {
    const state = `state: { postgresql: { url_file: db/url, tls: { ca_file: db.pem } } }`;
    const read = parseConfig({
      file: file.replace(/^state: .*$/m, state),
      fileName: '/etc/vb365/config.yaml',
      env: {},
    });
    expect(read.state.postgresql).toMatchObject({
      url: { file: '/etc/vb365/db/url' },
      tls: { caFile: '/etc/vb365/db.pem' },
    });
  });

  test('of the environment, and the default, start at the working directory', () => {
    const env = {
      VB365_URL: 'https://a:4443',
      VB365_USERNAME: 'u',
      VB365_PASSWORD_FILE: 'password',
      OTEL_EXPORTER_OTLP_ENDPOINT: 'https://collector:4318',
      OTEL_EXPORTER_OTLP_CERTIFICATE: 'ca.pem',
    };
    const { servers, state, logs } = parseConfig({ file: '', fileName: '/etc/vb365/config.yaml', env });
    expect(servers[0]?.login.secret).toEqual({ file: 'password' });
    expect(state.path).toBe('./data/vb365-exporter.db');
    expect(logs?.tls.caFile).toBe('ca.pem');
  });

  test('every key that names a file is in this test', () => {
    const keysOf = (of: JsonSchema): readonly string[] =>
      Object.entries(propertiesOf(itemsOf(of) ?? of)).flatMap(([key, inner]) => [key, ...keysOf(inner)]);
    const missing = keysOf(configJsonSchema()).filter(
      key => key.endsWith('_file') && ![file, 'url_file:'].join(' ').includes(`${key}:`),
    );
    expect(missing).toEqual([]);
  });
});
