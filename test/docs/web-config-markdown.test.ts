import { expect, test } from '@jest/globals';
import { readFileSync } from 'node:fs';
import { parseWebConfig } from '../../src/config/web-config.js';

/** Values that exporter-toolkit accepts, one for each key that this exporter may not support. */
const candidates: Readonly<Record<string, string>> = {
  'tls_server_config.cipher_suites': '[TLS_AES_128_GCM_SHA256]',
  'tls_server_config.curve_preferences': '[X25519]',
  'tls_server_config.prefer_server_cipher_suites': 'true',
  'tls_server_config.client_auth_type': 'NoClientCert',
  'tls_server_config.min_version': 'TLS13',
  'tls_server_config.max_version': 'TLS13',
  'http_server_config.http2: true': 'true',
  'http_server_config.http2: false': 'false',
  'http_server_config.headers': '{ X-Frame-Options: deny }',
  rate_limit: '{ interval: 1s, burst: 1 }',
};

function isRefused([name, value]: readonly [string, string]): boolean {
  const [section = '', key] = name.replace(/: .*/, '').split('.');
  const pair = section === 'tls_server_config' ? 'cert_file: a, key_file: b, ' : '';
  try {
    parseWebConfig(key === undefined ? `${section}: ${value}` : `${section}: { ${pair}${key}: ${value} }`, 'web.yml');
    return false;
  } catch {
    return true;
  }
}

test('docs/WEB-CONFIG.md lists exactly the settings of exporter-toolkit that are not supported', () => {
  const page = readFileSync('docs/WEB-CONFIG.md', 'utf8');
  const list = /- Not supported, and rejected by name:\n((?: {2}- .*\n)+)/.exec(page)?.[1] ?? '';
  const listed = [...list.matchAll(/^ {2}- `([^`]+)`/gm)].map(([, name]) => name);
  const refused = Object.entries(candidates).filter(isRefused);
  expect(listed).toEqual(refused.map(([name]) => name));
});
