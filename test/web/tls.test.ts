import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { request } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { listen, type Listening } from '../../src/web/listen.js';
import { openWeb, type WebConfig, type WebTls } from '../../src/config/web-config.js';
import { alternativeNames, checkTls } from '../../src/web/tls.js';
import { createWeb } from '../../src/web/web.js';
import { type Authority, createAuthority, type Identity } from '../support/authority.js';
import { webOptions } from '../support/web.js';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(async server => server.close()));
});

let authority: Authority;
let own: Identity;
let client: Identity;
let stranger: Identity;
beforeAll(async () => {
  authority = await createAuthority();
  own = await authority.issue([{ type: 'dns', value: 'localhost' }]);
  client = await authority.issue([
    { type: 'dns', value: 'prometheus.example' },
    { type: 'ip', value: '10.0.0.7' },
    { type: 'email', value: 'scraper@example.com' },
    { type: 'url', value: 'spiffe://example/prometheus' },
  ]);
  stranger = await (await createAuthority('Somebody else')).issue([{ type: 'dns', value: 'prometheus.example' }]);
});

const tls = (over: Partial<WebTls> = {}): WebTls => ({
  ...own,
  clientCa: undefined,
  clientAuth: 'NoClientCert',
  allowedSans: [],
  minVersion: 'TLS12',
  maxVersion: 'TLS13',
  ...over,
});

async function serveSecurely(webConfig: () => WebConfig): Promise<number> {
  const server = await listen({ app: createWeb(webOptions({ webConfig })), host: '127.0.0.1', port: 0, webConfig });
  open.push(server);
  return server.port;
}

/** The status of a request over TLS, or the code of the error that came instead. */
async function status(port: number, over: ConnectionOptions = {}): Promise<number | string> {
  const { promise, resolve } = Promise.withResolvers<number | string>();
  request(
    { host: '127.0.0.1', port, path: '/metrics', agent: false, ca: authority.cert, servername: 'localhost', ...over },
    response => {
      response.resume();
      resolve(response.statusCode ?? 0);
    },
  )
    .on('error', error => resolve('code' in error ? String(error.code) : error.message))
    .end();
  return promise;
}

const serving = async (over: Partial<WebTls>): Promise<number> => {
  const webConfig: WebConfig = { ...openWeb, tls: tls(over) };
  return serveSecurely(() => webConfig);
};

describe('over TLS', () => {
  test('pages are served with the configured certificate', async () => {
    expect(await status(await serving({}))).toBe(200);
  });

  test.each([
    ['TLSv1.3', 'TLS13', 'TLS13', 200],
    ['TLSv1.2', 'TLS12', 'TLS13', 200],
    ['TLSv1.2', 'TLS13', 'TLS13', 'EPROTO'],
    ['TLSv1.3', 'TLS12', 'TLS12', 'EPROTO'],
  ] as const)('a client with %s, a server with %s to %s: %s', async (version, minVersion, maxVersion, wanted) => {
    const port = await serving({ minVersion, maxVersion });
    expect(await status(port, { minVersion: version, maxVersion: version })).toBe(wanted);
  });

  test('the next client sees a renewed certificate without a restart', async () => {
    let config: WebConfig = { ...openWeb, tls: tls() };
    const port = await serveSecurely(() => config);
    const shown = async (): Promise<string> => {
      const { promise, resolve } = Promise.withResolvers<string>();
      const socket: TLSSocket = connect(
        { host: '127.0.0.1', port, ca: authority.cert, servername: 'localhost' },
        () => {
          resolve(socket.getPeerX509Certificate()?.serialNumber ?? '');
          socket.destroy();
        },
      );
      return promise;
    };
    const first = await shown();
    config = { ...openWeb, tls: tls(await authority.issue([{ type: 'dns', value: 'localhost' }])) };
    expect(await shown()).not.toBe(first);
    expect(await shown()).toBe(await shown());
  });

  test.each([
    ['a key of another certificate', () => ({ key: client.key }), 'key: its private key does not belong'],
    ['no key', () => ({ key: client.cert }), 'key: it holds no private key in PEM'],
    ['no certificate', () => ({ cert: client.key }), 'cert: it holds no valid certificate in PEM'],
    ['no client CA', () => ({ clientCa: 'x' }), 'clientCa: it holds no valid certificate in PEM'],
  ])('with %s is refused, with the part at fault', (_, parts, says) => {
    expect(() => checkTls(tls(parts()), part => part)).toThrow(
      expect.objectContaining({ reason: 'config', message: expect.stringContaining(`Could not use ${says}`) }),
    );
  });
});

describe('a client certificate', () => {
  type Presented = 'none' | 'good' | 'strange';
  const show = (shown: Presented): ConnectionOptions => (shown === 'none' ? {} : shown === 'good' ? client : stranger);
  const shut = expect.stringMatching(/ECONNRESET|EPIPE|socket hang up/);

  test.each([
    ['NoClientCert', 'none', 200],
    ['NoClientCert', 'good', 200],
    ['RequestClientCert', 'none', 200],
    ['RequestClientCert', 'strange', 200],
    ['RequireAnyClientCert', 'none', shut],
    ['RequireAnyClientCert', 'strange', 200],
    ['VerifyClientCertIfGiven', 'none', 200],
    ['VerifyClientCertIfGiven', 'good', 200],
    ['VerifyClientCertIfGiven', 'strange', shut],
    ['RequireAndVerifyClientCert', 'none', shut],
    ['RequireAndVerifyClientCert', 'good', 200],
    ['RequireAndVerifyClientCert', 'strange', shut],
  ] as const)('%s: %s certificate', async (clientAuth, shown, wanted) => {
    const clientCa = clientAuth === 'NoClientCert' ? undefined : authority.cert;
    const port = await serving({ clientAuth, clientCa });
    expect(await status(port, show(shown))).toEqual(wanted);
  });

  test.each([
    ['prometheus.example', 200],
    ['10.0.0.7', 200],
    ['scraper@example.com', 200],
    ['spiffe://example/prometheus', 200],
    ['example', shut],
    ['DNS:prometheus.example', shut],
  ])('must have one of the allowed names: %s', async (name, wanted) => {
    const clientAuth = 'RequireAndVerifyClientCert';
    const port = await serving({ clientAuth, clientCa: authority.cert, allowedSans: ['other.example', name] });
    expect(await status(port, client)).toEqual(wanted);
  });

  test('cannot smuggle a name inside another', () => {
    expect(alternativeNames('DNS:"a.example, DNS:b.example", IP Address:127.0.0.1, URI:http://x/')).toEqual([
      'a.example, DNS:b.example',
      '127.0.0.1',
      'http://x/',
    ]);
  });

  test('is checked against changed names from the next connection on', async () => {
    const clientAuth = 'RequireAndVerifyClientCert';
    let config: WebConfig = { ...openWeb, tls: tls({ clientAuth, clientCa: authority.cert }) };
    const port = await serveSecurely(() => config);
    expect(await status(port, client)).toBe(200);
    config = { ...config, tls: tls({ clientAuth, clientCa: authority.cert, allowedSans: ['nobody'] }) };
    expect(await status(port, client)).toEqual(shut);
  });
});
