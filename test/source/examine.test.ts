import { describe, expect, test } from '@jest/globals';
import { Secret } from '../../src/kernel/secret.js';
import { examineTls } from '../../src/source/examine.js';
import type { RestOptions } from '../../src/source/options.js';
import { createAuthority, type Identity } from '../support/authority.js';
import { connectProxy } from '../support/connect-proxy.js';
import { type ScriptedServer, scriptedServer } from '../support/scripted-server.js';
import { bench, handClock, never } from '../support/source-rig.js';

const { closeLater } = bench();

const optionsFor = (baseUrl: URL, over: Partial<RestOptions> = {}): RestOptions => ({
  baseUrl,
  apiVersion: 'auto',
  credentials: { kind: 'password', username: 'u', secret: async () => new Secret('p') },
  clock: handClock(),
  random: () => 0,
  ...over,
});

async function serving(identity: Identity): Promise<ScriptedServer> {
  const server = await scriptedServer(() => ({ status: 404 }), identity);
  closeLater(server.close);
  return server;
}

describe('looking at the certificate of a server', () => {
  test('shows the chain, with the fingerprint to paste, and why it is not trusted', async () => {
    const root = await createAuthority('Root');
    const identity = await (
      await root.delegate('Below')
    ).issue([
      { type: 'ip', value: '127.0.0.1' },
      { type: 'dns', value: 'vb365.example.com' },
    ]);
    const server = await serving(identity);
    const unknown = await examineTls(optionsFor(server.url), never);
    expect(unknown).toMatchObject({
      protocol: 'TLSv1.3',
      chain: [
        {
          subject: 'CN=test',
          hosts: 'IP Address:127.0.0.1, DNS:vb365.example.com',
          fingerprint: identity.fingerprint,
          validFromMs: Date.UTC(2000, 0, 1),
          validToMs: identity.validToMs,
        },
        { subject: 'CN=Below', issuer: 'CN=Root' },
      ],
      distrusted: expect.stringContaining(identity.fingerprint),
    });
    const trust = { kind: 'authorities', ca: async () => root.cert } as const;
    const known = await examineTls(optionsFor(server.url, { trust }), never);
    expect(known.distrusted).toBeUndefined();
    const pin = { kind: 'pinned', fingerprint: unknown.chain[0]?.fingerprint ?? '' } as const;
    expect((await examineTls(optionsFor(server.url, { trust: pin }), never)).distrusted).toBeUndefined();
    expect(
      server.asked.every(
        ({ method, url, authorization }) => `${method} ${url} ${String(authorization)}` === 'HEAD / undefined',
      ),
    ).toBe(true);
  });

  test('goes through the proxy', async () => {
    const server = await serving(await (await createAuthority()).issue([{ type: 'ip', value: '127.0.0.1' }]));
    const proxy = await connectProxy();
    closeLater(proxy.close);
    const over = { proxy: { url: new Secret(proxy.url.href) } };
    expect((await examineTls(optionsFor(server.url, over), never)).chain).toHaveLength(1);
    expect(proxy.asked.map(({ target }) => target)).toEqual([server.url.host]);
  });

  test('fails where there is no TLS', async () => {
    const plain = await scriptedServer(() => ({ status: 404 }));
    closeLater(plain.close);
    const secure = new URL(plain.url);
    secure.protocol = 'https:';
    await expect(examineTls(optionsFor(secure), never)).rejects.toMatchObject({
      reason: 'network',
      message: expect.stringContaining('does not use TLS'),
    });
    await expect(examineTls(optionsFor(plain.url), never)).rejects.toMatchObject({
      reason: 'network',
      message: expect.stringContaining('no TLS'),
    });
  });
});
