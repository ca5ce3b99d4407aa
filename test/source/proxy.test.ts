import { describe, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { Secret } from '../../src/kernel/secret.js';
import type { Trust } from '../../src/source/trust.js';
import { createAuthority, type Identity } from '../support/authority.js';
import { connectProxy, type ConnectProxy, type ProxyOptions } from '../support/connect-proxy.js';
import type { Reply } from '../support/scripted-server.js';
import { bench, never, type Rig } from '../support/source-rig.js';

const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const page: Reply = { json: { offset: 0, limit: 1000, results: [] } };

const { begin, closeLater } = bench();

const read = async ({ source }: Rig): Promise<unknown> => source.events(id, 0, never);

type Stage = Readonly<{ proxy: ConnectProxy; tls: Identity; trust: Trust }>;

async function stage(options: ProxyOptions = {}): Promise<Stage> {
  const proxy = await connectProxy(options);
  closeLater(proxy.close);
  const root = await createAuthority();
  return {
    proxy,
    tls: await root.issue([{ type: 'ip', value: '127.0.0.1' }]),
    trust: { kind: 'authorities', ca: async () => root.cert },
  };
}

/** A proxy as the configuration has it, with `user:password@` in its URL. */
function through({ url }: Pick<ConnectProxy, 'url'>, credentials = '') {
  return { proxy: { url: new Secret(`http://${credentials}${url.host}`) } };
}

const targets = ({ asked }: ConnectProxy): readonly string[] => asked.map(({ target }) => target);

const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;

describe('a proxy', () => {
  test('tunnels to the server, whose certificate is checked behind it', async () => {
    const { proxy, ...tls } = await stage();
    const one = await begin(() => page, { ...tls, ...through(proxy) });
    await read(one);
    await read(one);
    expect(new Set(targets(proxy))).toEqual(new Set([one.server.url.host]));
    expect(one.source.certificateExpiresAtMs()).toBe(tls.tls.validToMs);
  });

  test('cannot put another server in the place of ours', async () => {
    const { proxy, tls } = await stage();
    const pinned = await begin(() => page, {
      tls,
      trust: { kind: 'pinned', fingerprint: 'ab'.repeat(32) },
      ...through(proxy),
    });
    await expect(read(pinned)).rejects.toMatchObject({
      message: expect.stringContaining(`its fingerprint is ${tls.fingerprint}`),
    });
    const unknown = await begin(() => page, { tls, ...through(proxy) });
    await expect(read(unknown)).rejects.toMatchObject({
      message: expect.stringContaining('signed by an unknown authority'),
    });
    expect([...pinned.server.asked, ...unknown.server.asked]).toEqual([]);
  });

  test('tunnels plain http too', async () => {
    const { proxy } = await stage();
    const one = await begin(() => page, through(proxy));
    await read(one);
    expect(new Set(targets(proxy))).toEqual(new Set([one.server.url.host]));
  });

  test('gets its credentials, and nobody else does', async () => {
    const { proxy, ...tls } = await stage({ authorization: basic('me:canary word') });
    const one = await begin(() => page, { ...tls, ...through(proxy, 'me:canary%20word@') });
    await read(one);
    expect(new Set(proxy.asked.map(({ authorization }) => authorization))).toEqual(new Set([basic('me:canary word')]));
  });

  test.each([
    [
      'that wants credentials',
      'the proxy answered HTTP 407 (it requires a user name and password, or refuses these)',
      basic('other:one'),
    ],
    ['that cannot reach the server', 'the proxy answered HTTP 502', undefined],
  ])('%s is said to, without what it was given', async (_, words, authorization) => {
    const { proxy, ...tls } = await stage({ authorization });
    const one = await begin(() => page, { ...tls, ...through(proxy, 'me:canary@') });
    if (authorization === undefined) await one.server.close();
    const error: unknown = await read(one).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      reason: 'network',
      message: `Could not connect to "${one.server.url.host}" through the proxy "${proxy.url.host}": ${words}`,
    });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/canary|bWU6Y2FuYXJ5/);
  });

  test('that does not answer is given up, and asked again next time', async () => {
    const { proxy, ...tls } = await stage({ silentFor: 1 });
    const one = await begin(() => page, { ...tls, ...through(proxy), connectTimeoutMs: 100 });
    await expect(read(one)).rejects.toMatchObject({
      reason: 'timeout',
      message: expect.stringContaining('the proxy does not answer'),
    });
    await expect(read(one)).resolves.toBeDefined();
  });

  test('that is gone is an error', async () => {
    const { proxy, ...tls } = await stage();
    await proxy.close();
    const one = await begin(() => page, { ...tls, ...through(proxy, 'me:canary@') });
    const error: unknown = await read(one).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      reason: 'network',
      message: expect.stringContaining(`through the proxy "${proxy.url.host}": connection refused by the proxy`),
    });
    expect(inspect(error, { depth: 9, showHidden: true })).not.toMatch(/canary|bWU6Y2FuYXJ5/);
  });
});
