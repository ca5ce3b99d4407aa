import { describe, expect, test } from '@jest/globals';
import express from 'express';
import { openWeb, type WebTls } from '../../src/config/web-config.js';
import { type ConnectionLimits, listen, parseListenAddress } from '../../src/web/listen.js';
import type { MetricsPage } from '../../src/web/scrape.js';
import { createWeb } from '../../src/web/web.js';
import { createAuthority } from '../support/authority.js';
import { ask, connection, serve, webOptions } from '../support/web.js';

describe('a listen address', () => {
  test.each([
    [':10365', { host: undefined, port: 10_365 }],
    ['0.0.0.0:10365', { host: '0.0.0.0', port: 10_365 }],
    ['[::1]:10365', { host: '::1', port: 10_365 }],
    ['[::]:80', { host: '::', port: 80 }],
    ['localhost:0', { host: 'localhost', port: 0 }],
    ['exporter.example.com:65535', { host: 'exporter.example.com', port: 65_535 }],
  ])('%s is parsed', (text, address) => {
    expect(parseListenAddress(text)).toEqual(address);
  });

  test.each(['', '10365', 'localhost', '::1:10365', '[::1]', '[localhost]:1', ':-1', ':http', 'a b:1', 'a:1:2'])(
    '%p is refused',
    text => {
      const read = () => parseListenAddress(text);
      expect(read).toThrow(
        `Could not read the listen address "${text}": it must be like ":10365", "0.0.0.0:10365", "[::1]:10365" or "localhost:10365"`,
      );
      expect(read).toThrow(expect.objectContaining({ reason: 'config' }));
    },
  );

  test.each([':65536', '[::1]:100000000000000000000'])('%p has an impossible port', text => {
    expect(() => parseListenAddress(text)).toThrow(
      `Could not read the listen address "${text}": the port must be from 0 to 65535`,
    );
  });
});

describe('listening', () => {
  const app = createWeb(webOptions());

  test('without a host uses every address and reports its port', async () => {
    const server = await listen({ app, host: undefined, port: 0 });
    expect(['::', '0.0.0.0']).toContain(server.address);
    expect((await ask(server.port, '/healthz')).status).toBe(200);
    await server.close();
  });

  test('on a port in use fails with one clear line', async () => {
    const first = await serve();
    await expect(listen({ app, host: '127.0.0.1', port: first.port })).rejects.toMatchObject({
      name: 'ExporterError',
      reason: 'network',
      message: `Could not listen on "127.0.0.1:${String(first.port)}": the address is already in use`,
    });
    const everywhere = listen({ app, host: undefined, port: first.port });
    await expect(everywhere).rejects.toThrow(
      `Could not listen on ":${String(first.port)}": the address is already in use`,
    );
    await first.close();
  });

  test('on an address of another machine fails with one clear line', async () => {
    await expect(listen({ app, host: '192.0.2.1', port: 0 })).rejects.toThrow(
      'Could not listen on "192.0.2.1:0": this machine has no such address',
    );
    await expect(listen({ app, host: '2001:db8::1', port: 0 })).rejects.toThrow(
      'Could not listen on "[2001:db8::1]:0": ',
    );
  });
});

describe('closing', () => {
  const get = 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n';

  test('frees the port and closes connections without a complete request: idle, silent or half sent', async () => {
    const server = await serve();
    const connections = [
      await connection(server.port, get),
      await connection(server.port),
      await connection(server.port, `${get}GET /metr`),
    ];
    await server.close();
    await Promise.all(connections.map(async ({ closed }) => closed));
    await expect(ask(server.port, '/healthz')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  });

  test('waits until the active request is answered in full', async () => {
    const asked = Promise.withResolvers<void>();
    const metrics = Promise.withResolvers<MetricsPage>();
    const server = await serve({
      metrics: async () => {
        asked.resolve();
        return metrics.promise;
      },
    });
    const reply = ask(server.port, '/metrics');
    await asked.promise;
    const closed = server.close();
    await expect(ask(server.port, '/metrics')).rejects.toMatchObject({ code: 'ECONNREFUSED' });
    const body = 'vb365_up 1\n'.repeat(100_000);
    metrics.resolve({ body: Buffer.from(body), delivered: () => undefined });
    expect((await reply).body).toBe(body);
    await closed;
  });

  test('does not wait for a client that went away', async () => {
    const asked = Promise.withResolvers<void>();
    const server = await listen({ app: express().use(() => asked.resolve()), host: '127.0.0.1', port: 0 });
    const { socket } = await connection(server.port);
    socket.write(get);
    await asked.promise;
    const closed = server.close();
    socket.destroy();
    await expect(closed).resolves.toBeUndefined();
  });

  test('can be called twice', async () => {
    const server = await serve();
    await Promise.all([server.close(), server.close()]);
    await expect(server.close()).resolves.toBeUndefined();
  });
});

describe('a client that takes too much', () => {
  const app = createWeb(webOptions());
  const served = async (limits: Partial<ConnectionLimits>, tls?: WebTls) =>
    listen({ app, host: '127.0.0.1', port: 0, limits, webConfig: () => ({ ...openWeb, tls }) });

  test.each([
    ['never sends a header', ''],
    ['never ends its header', 'GET /healthz HTTP/1.1\r\nHost: a\r\nX-A: '],
  ])('and %s is disconnected', async (_, text) => {
    const server = await served({ headerMs: 200 });
    const { socket, closed } = await connection(server.port);
    socket.resume().write(text);
    await closed;
    await server.close();
  });

  test('and never completes a TLS handshake is disconnected', async () => {
    const { cert, key } = await (await createAuthority()).issue([{ type: 'dns', value: 'localhost' }]);
    const tls = { cert, key, clientCa: undefined, clientAuth: 'NoClientCert', allowedSans: [] } as const;
    const server = await served({ headerMs: 200 }, { ...tls, minVersion: 'TLS12', maxVersion: 'TLS13' });
    const { socket, closed } = await connection(server.port);
    socket.resume();
    await closed;
    await server.close();
  });

  test('and stays idle is disconnected', async () => {
    const server = await served({ idleMs: 200 });
    const { closed } = await connection(server.port, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
    await closed;
    await server.close();
  });

  test('and opens one connection too many is disconnected, and the others are not', async () => {
    const server = await served({ connections: 2 });
    const text = 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n';
    const first = await connection(server.port, text);
    await connection(server.port, text);
    const third = await connection(server.port);
    third.socket.resume();
    await third.closed;
    first.socket.write(text);
    await new Promise(resolve => first.socket.once('data', resolve));
    await server.close();
  });

  test('is given a minute and more between scrapes', async () => {
    const server = await served({});
    const { headers } = await ask(server.port, '/healthz', 'GET', { connection: 'keep-alive' });
    expect(headers['keep-alive']).toBe('timeout=75');
    await server.close();
  });
});
