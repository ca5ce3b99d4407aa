import { afterEach, describe, expect, test } from '@jest/globals';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { Socket } from 'node:net';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import { createAnswerBudget } from '../../src/source/answer-limits.js';
import { milliseconds } from '../../src/model/time.js';
import { decodeEvent } from '../../src/source/decode-event.js';
import { decodeSession } from '../../src/source/decode-session.js';
import { decodePage } from '../../src/source/page.js';
import { createTransport } from '../../src/source/transport.js';
import { settingsOf } from '../../src/source/options.js';
import { okJson } from '../../src/source/request-errors.js';
import { Secret } from '../../src/kernel/secret.js';
import { handClock, never } from '../support/source-rig.js';

const closers: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

async function serve(listener: RequestListener) {
  const server: Server = createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  const transport = createTransport(
    settingsOf({
      baseUrl: new URL(`http://127.0.0.1:${String(port)}`),
      apiVersion: 'v8',
      credentials: { kind: 'password', username: 'u', secret: async () => new Secret('p') },
      clock: handClock(),
      random: () => 0,
    }),
  );
  closers.push(async () => {
    await transport.close();
    server.closeAllConnections();
    await new Promise(resolve => server.close(resolve));
  });
  return async (path = 'x', rows = 1000) => transport.send({ operation: 'events', path, rows }, never);
}

const text = '{"results": []}';

describe('an answer', () => {
  test.each([
    ['gzip', gzipSync(text)],
    ['x-gzip', gzipSync(text)],
    ['deflate', deflateSync(text)],
    ['br', brotliCompressSync(text)],
    ['gzip, br', brotliCompressSync(gzipSync(text))],
    ['identity', Buffer.from(text)],
  ])('in %s is decoded', async (coding, body) => {
    const get = await serve((_, response) => response.writeHead(400, { 'content-encoding': coding }).end(body));
    await expect(get()).resolves.toMatchObject({ status: 400, body: text });
  });

  test('in a coding that nobody asked for is named', async () => {
    const get = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'compress' }).end(text));
    await expect(get()).rejects.toMatchObject({
      reason: 'decode',
      message: expect.stringContaining('content coding "compress"'),
    });
  });

  test('in many layers of codings is refused with the limit', async () => {
    const coding = Array.from({ length: 9 }, () => 'gzip').join(', ');
    const get = await serve((_, response) =>
      response.writeHead(200, { 'content-encoding': coding }).end(gzipSync(text)),
    );
    await expect(get()).rejects.toMatchObject({
      reason: 'decode',
      message: 'Could not read restore events: the answer has more than 5 content codings',
    });
  });

  test('in gzip with bytes behind it is damaged', async () => {
    const body = Buffer.concat([gzipSync(text), Buffer.from('trailing bytes')]);
    const get = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(body));
    await expect(get()).rejects.toMatchObject({ reason: 'decode', message: expect.stringContaining('is damaged') });
  });

  test('that is damaged in compression is an error of decoding', async () => {
    const get = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(text));
    await expect(get()).rejects.toMatchObject({
      reason: 'decode',
      message: 'Could not read restore events: the compressed answer is damaged',
    });
  });
});

describe('a hostile answer', () => {
  test('in chunks of one byte is refused before it is long', async () => {
    const get = await serve((_, response) => {
      const socket = response.writeHead(200, { 'transfer-encoding': 'chunked' }).socket;
      response.flushHeaders();
      for (let count = 0; count < 2_000; count += 1) socket?.write('1\r\na\r\n');
    });
    await expect(get()).rejects.toMatchObject({
      reason: 'decode',
      message: 'Could not read restore events: the answer comes in chunks of less than 64 bytes',
    });
  });

  test('behind a few answers that are not final is taken', async () => {
    const early = 'HTTP/1.1 103 Early Hints\r\nContent-Encoding: gzip\r\n\r\n'.repeat(5);
    const get = await serve(request => void request.socket.end(`${early}HTTP/1.1 200 OK\r\n\r\n${text}`));
    await expect(get()).resolves.toMatchObject({ status: 200, body: text });
  });

  test('that is never final is refused with the limit', async () => {
    const get = await serve(request => void request.socket.end('HTTP/1.1 103 Early Hints\r\n\r\n'.repeat(200)));
    await expect(get()).rejects.toMatchObject({
      reason: 'decode',
      message: 'Could not read restore events: more than 100 answers came before it',
    });
  });

  const mebi = 1024 * 1024;
  test.each([
    ['one long text', `{"a":"${'a'.repeat(10 * mebi)}"}`, 'the answer is longer than 5144576 bytes'],
    ['deep arrays', '['.repeat(2e6), 'the answer is nested deeper than 32 levels'],
    ['deep objects', '{"a":'.repeat(1e6), 'the answer is nested deeper than 32 levels'],
    [
      'deep arrays after a text that ends in a backslash',
      `["\\\\",${'['.repeat(40)}`,
      'the answer is nested deeper than 32 levels',
    ],
    ['many small values', `[${'0,'.repeat(1e6)}0]`, 'the answer holds more than 65000 JSON values'],
  ])('of %s is refused with the limit, compressed or not', async (_, body, words) => {
    const get = await serve((request, response) =>
      request.url === '/zip'
        ? response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(body))
        : response.end(body),
    );
    const wanted = { reason: 'decode', message: `Could not read restore events: ${words}` };
    await expect(get()).rejects.toMatchObject(wanted);
    await expect(get('zip')).rejects.toMatchObject(wanted);
  });

  test('of brackets within a text is harmless', async () => {
    const body = JSON.stringify({ a: `\\"${'[{,:'.repeat(1e5)}` });
    const get = await serve((_, response) => response.end(body));
    await expect(get()).resolves.toMatchObject({ body });
  });

  test('with many brackets next to each other is harmless', async () => {
    const body = `[${'[],{},'.repeat(1000)}0]`;
    const get = await serve((_, response) => response.end(body));
    await expect(get()).resolves.toMatchObject({ body });
  });

  test('with endless headers is refused with the limit', async () => {
    const get = await serve((_, response) => {
      response.socket?.write(`HTTP/1.1 200 OK\r\nX-A: ${'a'.repeat(1e6)}\r\n\r\n`);
    });
    await expect(get()).rejects.toMatchObject({
      reason: 'decode',
      message: 'Could not read restore events: the headers of the answer are longer than 16 KiB',
    });
  });

  const zeros = Buffer.alloc(32 * mebi);
  const bombs: readonly (readonly [string, Buffer])[] = [
    ['gzip', gzipSync(zeros)],
    ['deflate', deflateSync(zeros)],
    ['br', brotliCompressSync(zeros)],
    ['gzip, gzip', gzipSync(gzipSync(zeros))],
    ['deflate, br', brotliCompressSync(deflateSync(zeros))],
  ];
  test.each(bombs)('of 32 MiB, a few kilobytes in %s, is ended at the limit', async (coding, bomb) => {
    expect(bomb.length).toBeLessThan(50_000);
    const get = await serve((_, response) => response.writeHead(200, { 'content-encoding': coding }).end(bomb));
    await expect(get()).rejects.toMatchObject({
      reason: 'decode',
      message: 'Could not read restore events: the answer is longer than 5144576 bytes',
    });
  });

  const lies: readonly (readonly [string, string])[] = [
    ['claims more bytes than it has', 'HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{}'],
    ['claims fewer bytes than it has', `HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n${text}`],
    ['claims two lengths', `HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 15\r\n\r\n${text}`],
    ['is cut within its chunks', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nff\r\n{'],
  ];
  test.each(lies)('that %s is never a shorter list', async (_, bytes) => {
    const get = await serve(request => void request.socket.end(bytes));
    const answer = get().then(({ status, body }) => okJson('events', { status, body, retryAfterMs: undefined }));
    await expect(answer).rejects.toMatchObject({ reason: expect.stringMatching(/^(?:decode|network)$/) });
  });

  test('that spends the budget of all answers is ended, and no other', () => {
    const budget = createAnswerBudget(100);
    const ended: string[] = [];
    const small = budget.open(() => ended.push('small'));
    const large = budget.open(() => ended.push('large'));
    small.add(20);
    large.add(70);
    small.add(20);
    expect(ended).toEqual(['large']);
    small.add(50);
    expect(ended).toEqual(['large']);
  });
});

/** Answers the first request of a connection, and closes it at the second one. */
const closing = (seen: string[]): RequestListener => {
  const used = new WeakSet<Socket>();
  return (request, response) => {
    seen.push(request.method ?? '');
    if (used.has(request.socket)) return void request.socket.destroy();
    used.add(request.socket);
    response.end(text);
  };
};

describe('an idle connection that closes when it is used again', () => {
  test('costs a GET nothing', async () => {
    const seen: string[] = [];
    const get = await serve(closing(seen));
    for (let n = 0; n < 3; n += 1) await expect(get()).resolves.toMatchObject({ status: 200 });
    expect(seen.length).toBeGreaterThan(3);
  });

  test('is not mistaken for a server that closes every connection', async () => {
    let asked = 0;
    const get = await serve(request => {
      asked += 1;
      request.socket.destroy();
    });
    await expect(get()).rejects.toMatchObject({ reason: 'network' });
    expect(asked).toBe(1);
  });
});

test('a page without rows or limit is empty, or has the limit that was asked for', () => {
  const asked = { operation: 'events', offset: 0, limit: 2 } as const;
  expect(decodePage({ offset: 0, limit: 2, results: null }, asked)).toMatchObject({ rows: [], last: true });
  expect(decodePage({ offset: 0, results: [1, 2] }, asked)).toMatchObject({ last: false, anomalies: [] });
});

test('texts of an event are cut to 4,096 characters, and counted', () => {
  const row = {
    id: '61954db6-7278-4d26-86f7-888bda5a4ec4',
    order: 0,
    status: 'Failed',
    startTime: '2026-01-01T00:00:00Z',
    message: 'a'.repeat(1e6),
  };
  const decoded = decodeEvent(row, 0, milliseconds(Date.parse('2026-01-01T00:00:10Z')));
  expect(decoded).toMatchObject({ event: { message: 'a'.repeat(4096), anomalies: ['text_cut'] } });
});

test('texts of a session are cut to 4,096 characters, and its names to 1,024, and counted', () => {
  const long = 'a'.repeat(1e6);
  const row = { id: '61954db6-7278-4d26-86f7-888bda5a4ec4', creationTime: '2026-01-01T00:00:00Z', details: 'd' };
  const readAt = milliseconds(Date.parse('2026-01-01T00:00:10Z'));
  expect(
    decodeSession({ ...row, organization: 'a'.repeat(1024), reason: 'a'.repeat(4096) }, readAt),
  ).not.toHaveProperty('session.anomalies');
  expect(decodeSession({ ...row, reason: long }, readAt)).toMatchObject({
    session: { reason: 'a'.repeat(4096), anomalies: ['text_cut'] },
  });
  expect(decodeSession({ ...row, organization: 'a'.repeat(1025) }, readAt)).toMatchObject({
    session: { organization: 'a'.repeat(1024), anomalies: ['text_cut'] },
  });
});
