import { describe, expect, test } from '@jest/globals';
import { Secret } from '../../src/kernel/secret.js';
import { connectProxy } from '../support/connect-proxy.js';
import { doctored, refusedPort } from './doctor-rig.js';

const refused = /connection refused by the proxy/;
const unknown = /host name of the proxy (?:not found|could not be resolved)/;
const withoutTls = /port of the proxy does not use TLS although its URL begins with "https"/;

describe('doctor advises to check the proxy', () => {
  test.each([
    { scheme: 'http', apiVersion: 'auto', check: 'version', how: 'refuses', says: refused },
    { scheme: 'http', apiVersion: 'v8', check: 'login', how: 'refuses', says: refused },
    { scheme: 'https', apiVersion: 'v8', check: 'tls', how: 'refuses', says: refused },
    { scheme: 'https', apiVersion: 'v8', check: 'tls', how: 'is unknown', says: unknown },
    { scheme: 'http', apiVersion: 'v8', check: 'login', how: 'has no TLS', says: withoutTls },
    { scheme: 'https', apiVersion: 'v8', check: 'tls', how: 'has no TLS', says: withoutTls },
  ] as const)('that $how, over $scheme with version $apiVersion', async ({ scheme, apiVersion, check, how, says }) => {
    const plain = await connectProxy();
    const href = {
      refuses: `http://127.0.0.1:${String(await refusedPort())}`,
      'is unknown': 'http://no-such-proxy.invalid:3128',
      'has no TLS': `https://${plain.url.host}`,
    }[how];
    const { server } = await doctored(`${scheme}://vb365.example:4443`, {
      server: { apiVersion, proxy: { url: new Secret(href) } },
    });
    await plain.close();
    expect(server[check]).toMatchObject({
      status: 'failed',
      message: expect.stringMatching(says),
      advice: expect.stringMatching(/^check that the proxy runs .*"proxy_url", HTTPS_PROXY/),
    });
  });
});
