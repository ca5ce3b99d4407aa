import { describe, expect, test } from '@jest/globals';
import { getEventListeners } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { inspect } from 'node:util';
import { ExporterError } from '../../src/kernel/errors.js';
import type { Reply } from '../support/scripted-server.js';
import { bench, type Extras, grant, never, type Rig } from '../support/source-rig.js';

const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const page = (over: object = {}): Reply => ({ json: { offset: 0, limit: 1000, results: [], ...over } });

const { begin, closeLater } = bench();

const read = async ({ source }: Rig): Promise<unknown> => source.events(id, 0, never);

test('a request that has ended leaves nothing behind with those who could have stopped it', async () => {
  const one = await begin(() => page());
  const { signal } = new AbortController();
  await one.source.events(id, 0, signal);
  expect(getEventListeners(signal, 'abort')).toEqual([]);
});

describe('an answer', () => {
  test.each<[string, Reply, Extras, object]>([
    [
      'is a web page',
      { body: ' <html>canary' },
      {},
      {
        reason: 'decode',
        message:
          'Could not read restore events: the answer is not JSON but a web page; is this the port of the REST API?',
      },
    ],
    [
      'is cut JSON',
      { body: '{"offset":0,"res' },
      {},
      { reason: 'decode', message: 'Could not read restore events: the answer is not JSON', cause: undefined },
    ],
    ['is empty', { body: '' }, {}, { reason: 'decode' }],
    ['is at another offset', page({ offset: 3 }), {}, { reason: 'decode' }],
    ['has no content', { status: 204, body: '' }, {}, { reason: 'rejected' }],
    ['sends us elsewhere', { status: 302, headers: { location: 'http://localhost:1/' } }, {}, { reason: 'rejected' }],
    [
      'is forbidden',
      { status: 403, json: { message: 'canary' } },
      {},
      {
        reason: 'auth',
        message:
          'Could not read restore events: HTTP 403 (the account lacks permission, or the server admits only restore operators)',
      },
    ],
    [
      'asks for patience',
      { status: 429, headers: { 'retry-after': '3' } },
      {},
      { reason: 'throttled', retryAfterMs: 3000 },
    ],
    [
      'asks for patience by date',
      {
        status: 503,
        headers: { date: 'Tue, 30 May 2017 10:57:28 GMT', 'retry-after': 'Tue, 30 May 2017 10:57:33 GMT' },
      },
      {},
      { reason: 'throttled', retryAfterMs: 5000 },
    ],
    [
      'asks for patience in no words',
      { status: 503, headers: { 'retry-after': 'soon' } },
      {},
      { reason: 'server', retryAfterMs: undefined },
    ],
    [
      'is cut off',
      { ...page({ results: ['x'.repeat(500)] }), cutAfter: 20 },
      {},
      {
        reason: 'network',
        message: expect.stringMatching(
          /^Could not connect to "127\.0\.0\.1:\d+": connection closed by the other side$/,
        ),
      },
    ],
    [
      'is too long',
      page({ results: ['x'.repeat(500)] }),
      { answerLimits: () => ({ bytes: 400, values: 100 }) },
      { reason: 'decode', message: 'Could not read restore events: the answer is longer than 400 bytes' },
    ],
    [
      'does not come',
      { silent: true },
      { requestTimeoutMs: 80 },
      { reason: 'timeout', message: 'Could not read restore events: no answer in 80 ms' },
    ],
    [
      'does not end',
      { ...page(), headers: { 'content-length': '5000' } },
      { requestTimeoutMs: 80 },
      { reason: 'timeout' },
    ],
  ])('that %s is an error', async (_, reply, extras, wanted) => {
    const one = await begin(() => reply, extras);
    await expect(read(one)).rejects.toMatchObject(wanted);
    expect(one.reads()).toHaveLength(1);
    expect(one.observed).toHaveLength(2);
  });

  test('may begin with a byte order mark', async () => {
    const one = await begin(() => ({ body: `\uFEFF${JSON.stringify(page().json)}` }));
    await expect(read(one)).resolves.toMatchObject({ rows: [] });
  });

  test('of any kind is observed by its class', async () => {
    for (const [reply, code] of [
      [page(), '2xx'],
      [{ status: 302 }, '3xx'],
      [{ status: 404 }, '4xx'],
      [{ status: 500 }, '5xx'],
      [{ ...page(), cutAfter: 3 }, 'error'],
    ] as const) {
      const one = await begin(() => reply);
      await read(one).catch(() => undefined);
      expect(one.observed).toEqual(['token 2xx', `events ${code}`]);
    }
  });
});

describe('a server that is not there', () => {
  test('refuses the connection', async () => {
    const one = await begin(() => page());
    await one.server.close();
    await expect(read(one)).rejects.toMatchObject({
      reason: 'network',
      message: `Could not connect to "127.0.0.1:${one.server.url.port}": connection refused; check that the REST service is enabled (it is off by default) and that the port is right`,
    });
    expect(one.observed).toEqual(['token error']);
  });

  test('has a name that nobody knows', async () => {
    const one = await begin(() => page(), { baseUrl: new URL('https://vb365.invalid') });
    await expect(read(one)).rejects.toMatchObject({
      reason: 'network',
      message: expect.stringMatching(/^Could not connect to "vb365\.invalid:443": host name /),
    });
  });

  test('speaks no TLS', async () => {
    const one = await begin(() => page());
    const url = new URL(one.server.url);
    url.protocol = 'https:';
    const wrong = await begin(() => page(), { baseUrl: url });
    await expect(read(wrong)).rejects.toMatchObject({
      reason: 'network',
      message: `Could not connect to "127.0.0.1:${url.port}": the port does not use TLS; check that it is the port of the REST API (default 4443)`,
    });
  });

  test('speaks no HTTP', async () => {
    const other = createServer(socket => socket.once('data', () => socket.write('220 canary SMTP\r\n')));
    await new Promise<void>(resolve => other.listen(0, '127.0.0.1', resolve));
    closeLater(async () => {
      await new Promise(resolve => other.close(resolve));
    });
    const { port } = other.address() as AddressInfo;
    const one = await begin(() => page(), { baseUrl: new URL(`http://127.0.0.1:${String(port)}`) });
    await expect(read(one)).rejects.toMatchObject({
      reason: 'decode',
      message: expect.stringContaining('not HTTP'),
      cause: undefined,
    });
  });
});

describe('stopping', () => {
  test.each<[string, Reply]>([
    ['before the answer', { silent: true }],
    ['in the middle of the answer', { ...page(), headers: { 'content-length': '5000' } }],
  ])('%s ends a request at once', async (_, reply) => {
    const stop = new AbortController();
    const one = await begin(() => {
      setImmediate(() => stop.abort());
      return reply;
    });
    await expect(one.source.events(id, 0, stop.signal)).rejects.toMatchObject({ reason: 'aborted' });
  });

  test('while a request waits for a connection ends it at once, and it is never sent', async () => {
    const [arrived, answer] = [Promise.withResolvers<void>(), Promise.withResolvers<Reply>()];
    const one = await begin(
      async ({ url }) => {
        if (!url.includes('/first/')) return page();
        arrived.resolve();
        return answer.promise;
      },
      { connections: 1 },
    );
    const stop = new AbortController();
    const first = one.source.events('first', 0, never);
    await arrived.promise;
    const second = one.source.events('second', 0, stop.signal);
    setImmediate(() => stop.abort());
    await expect(second).rejects.toMatchObject({ reason: 'aborted' });
    answer.resolve(page());
    await first;
    await one.source.events('third', 0, never);
    expect(one.reads().map(({ url }) => url.split('/')[3])).toEqual(['first', 'third']);
  });

  test('by closing ends what is under way, logging in too', async () => {
    const one = await begin(() => page(), {
      tokens: async () => {
        await one.source.close();
        return { silent: true };
      },
    });
    await expect(read(one)).rejects.toMatchObject({ reason: 'aborted' });
  });
});

const dated = (reply: Reply): Reply => ({ ...reply, headers: { date: 'Tue, 30 May 2017 10:57:28 GMT' } });

describe('the clock of the server', () => {
  const then = BigInt(Date.UTC(2017, 4, 30, 10, 57, 28, 500)) * 1_000_000n;

  test('is ours until an answer has a date', async () => {
    const one = await begin(() => page());
    expect(one.source.now()).toBe(BigInt(one.clock.now()) * 1_000_000n);
    await read(one);
    expect(one.source.clockSkewSeconds()).toBeUndefined();
  });

  test('is believed when it shows 2017, from the first answer on', async () => {
    const one = await begin(() => dated(page()), { tokens: (_, n) => dated(grant(n)) });
    expect(await read(one)).toMatchObject({ readAt: then });
    expect(one.source.now()).toBe(then);
    expect(one.source.clockSkewSeconds()).toBeLessThan(-2e8);
    one.clock.move(10_000);
    expect(one.source.now()).toBe(then + 10_000_000_000n);
  });

  test('is known from the very answer that is read, and that is dated with the time of the request', async () => {
    const one: Rig = await begin(() => {
      one.clock.move(400);
      return dated(page());
    });
    expect(await read(one)).toMatchObject({ readAt: then - 200_000_000n });
  });

  test('is not learnt from errors, which may be of a proxy', async () => {
    const one = await begin(() => dated({ status: 502 }));
    await expect(read(one)).rejects.toMatchObject({ reason: 'server' });
    expect(one.source.clockSkewSeconds()).toBeUndefined();
  });
});

test('no error of any kind shows the password, the user, the token, a query or what the server sent', async () => {
  const replies: readonly Reply[] = [
    { status: 400, json: { message: 'canary' } },
    { status: 403, body: 'canary' },
    { status: 500, json: { message: 'canary', stackTrace: 'canary' } },
    { body: '{"canary' },
    page({ offset: 'canary' }),
    page({ results: 'canary' }),
    { ...page({ results: ['canary'] }), cutAfter: 40 },
    { status: 401, body: 'canary' },
  ];
  const token = { access_token: 'canary-access', refresh_token: 'canary-refresh', expires_in: 3600 };
  const scripts: readonly Extras[] = [
    { tokens: () => ({ json: token }) },
    { tokens: (_, n) => replies[n - 1] ?? { status: 400 } },
  ];
  const thrown: unknown[] = [];
  for (const extras of scripts)
    for (const reply of replies) {
      const one = await begin(() => reply, extras);
      thrown.push(await read(one).catch((error: unknown) => error));
      thrown.push(await one.source.sessions(0n, never).catch((error: unknown) => error));
    }
  expect(thrown).toHaveLength(32);
  for (const error of thrown) {
    expect(error).toBeInstanceOf(ExporterError);
    const shown = inspect(error, { depth: 9, showHidden: true }) + JSON.stringify(error);
    expect(shown).not.toMatch(/canary(?!\.)|offset=|startTimeFrom/);
  }
});
