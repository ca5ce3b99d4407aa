import { afterEach, describe, expect, test } from '@jest/globals';
import { inspect } from 'node:util';
import { otlpCheck } from '../../src/cli/doctor-local.js';
import type { ProxyConfig } from '../../src/config/proxy.js';
import { Secret } from '../../src/kernel/secret.js';
import { otlpTransport } from '../../src/otlp/transport.js';
import { type ConnectProxy, connectProxy, type ProxyOptions } from '../support/connect-proxy.js';
import { stopped } from '../support/logs.js';
import { target } from '../support/otlp-target.js';
import { otlpReceiver } from '../support/otlp-receiver.js';

const never = new AbortController().signal;
const clock = stopped(Date.UTC(2026, 0, 1));
const basic = (credentials: string): string => `Basic ${Buffer.from(credentials).toString('base64')}`;

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).toReversed()) await close();
});

async function stage(options: ProxyOptions = {}) {
  const receiver = await otlpReceiver();
  const proxy = await connectProxy(options);
  closers.push(async () => receiver.close());
  closers.push(async () => proxy.close());
  return { receiver, proxy };
}

const through = ({ url }: ConnectProxy, credentials: string): ProxyConfig => ({
  url: new Secret(url.href.replace('//', `//${credentials}`)),
});

describe('a receiver behind a proxy', () => {
  test.each(['http/json', 'http/protobuf'] as const)(
    'gets its records through a tunnel, which is kept (%s)',
    async protocol => {
      const { receiver, proxy } = await stage({ authorization: basic('me:canary word') });
      const over = { protocol, proxy: through(proxy, 'me:canary%20word@') };
      const transport = otlpTransport(target(receiver.url, over), '1.2.3', clock);
      closers.push(async () => transport.close());
      for (let n = 0; n < 3; n += 1) await transport.send(Buffer.from('{"resourceLogs":[]}'), never);
      expect(receiver.requests).toHaveLength(3);
      expect(proxy.asked[0]).toEqual({ target: receiver.url.host, authorization: basic('me:canary word') });
      expect(proxy.asked.length).toBeLessThanOrEqual(2);
      expect(receiver.requests.some(({ headers }) => 'proxy-authorization' in headers)).toBe(false);
    },
  );

  test.each([
    [
      'that wants credentials',
      basic('other:one'),
      'the proxy answered HTTP 407 (it requires a user name and password, or refuses these)',
    ],
    ['that cannot reach the receiver', undefined, 'the proxy answered HTTP 502'],
    ['that is gone', 'gone', 'connection refused by the proxy'],
  ])('%s is named, without its password, in the error and by doctor', async (_, authorization, words) => {
    const { receiver, proxy } = await stage({ authorization });
    if (authorization === undefined) await receiver.close();
    if (authorization === 'gone') await proxy.close();
    const behind = target(receiver.url, { proxy: through(proxy, 'me:canary@') });
    const transport = otlpTransport(behind, '1.2.3', clock);
    closers.push(async () => transport.close());
    const message = `Could not send to "${receiver.url.host}/v1/logs" through the proxy "${proxy.url.host}": ${words}`;
    const error: unknown = await transport.send(Buffer.alloc(0), never).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ reason: 'network', message });
    const outcome = await otlpCheck('logs', behind, { version: '1.2.3', clock, signal: never }).run();
    expect(outcome).toMatchObject({ message, advice: expect.stringContaining('check that the proxy runs') });
    expect(inspect([error, outcome], { depth: 9, showHidden: true })).not.toMatch(/canary|bWU6Y2FuYXJ5/);
  });

  test('at a port without TLS, although its URL begins with "https", is named by the error and by doctor', async () => {
    const { receiver, proxy } = await stage();
    const behind = target(receiver.url, { proxy: { url: new Secret(`https://${proxy.url.host}`) } });
    const found = await otlpCheck('logs', behind, { version: '1.2.3', clock, signal: never }).run();
    expect(found).toMatchObject({
      message: expect.stringMatching(
        /: the port of the proxy does not use TLS although its URL begins with "https" \(/,
      ),
      advice: expect.stringContaining('"otlp.proxy_url"'),
    });
  });

  test('a receiver without TLS behind it is not advised to check the proxy alone', async () => {
    const { receiver, proxy } = await stage();
    const url = new URL(receiver.url.href.replace('http:', 'https:'));
    const behind = target(url, { proxy: through(proxy, '') });
    const found = await otlpCheck('logs', behind, { version: '1.2.3', clock, signal: never }).run();
    expect(found).toMatchObject({
      message: expect.stringContaining('the TLS handshake failed'),
      advice: expect.stringContaining('expects http or https in "otlp.endpoint"'),
    });
  });
});
