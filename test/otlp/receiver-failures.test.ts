import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { logsTo } from '../support/logs.js';
import { accept, type Answer, refuse } from '../support/otlp-receiver.js';
import { type PickyReceiver, pickyReceiver } from '../support/picky-receiver.js';
import { batch, guid, taken } from '../support/restore.js';

const never = new AbortController().signal;
const some = batch({ events: Array.from({ length: 8 }, (_, order) => taken({ id: guid(order), order })) });

let picky: PickyReceiver;
let sink: ReturnType<typeof logsTo>;
beforeEach(async () => {
  picky = await pickyReceiver();
  sink = logsTo(picky.receiver.url, { timeoutMs: 1_000 });
});
afterEach(async () => {
  await sink.close();
  await picky.receiver.close();
});

const reset: Answer = response => response.destroy();
const silent: Answer = () => undefined;
const resetInTheAnswer: Answer = response => {
  response.writeHead(503, { 'content-length': '1000' }).write('x');
  setImmediate(() => response.destroy());
};
const endless =
  (statusCode: number): Answer =>
  response => {
    response.writeHead(statusCode);
    const drip = (): void => {
      if (!response.destroyed) response.write('x'.repeat(1000), () => setImmediate(drip));
    };
    drip();
  };
const html = refuse(502, { 'content-type': 'text/html' }, '<html>Bad gateway</html>');

describe('Nothing lost: the receiver', () => {
  test.each<[string, Answer, string, number | undefined]>([
    ['resets the connection', reset, 'network', undefined],
    ['resets it in the middle of an answer', resetInTheAnswer, 'server', undefined],
    ['never answers', silent, 'timeout', undefined],
    ['fails with an answer that never ends', endless(500), 'server', undefined],
    ['redirects', refuse(302, { location: 'http://127.0.0.1:1/' }), 'rejected', undefined],
    ['answers 401', refuse(401), 'auth', undefined],
    ['answers 403', refuse(403), 'auth', undefined],
    ['answers 404', refuse(404), 'rejected', undefined],
    ['answers 405', refuse(405), 'rejected', undefined],
    ['answers 408', refuse(408), 'timeout', undefined],
    ['answers 415', refuse(415), 'rejected', undefined],
    ['answers 429', refuse(429), 'throttled', undefined],
    ['answers 429, for 7 seconds', refuse(429, { 'retry-after': '7' }), 'throttled', 7_000],
    // The sink's clock says 10:57:31.
    ['answers 429, until a date', refuse(429, { 'retry-after': 'Tue, 30 May 2017 10:57:41 GMT' }), 'throttled', 10_000],
    ['answers 500', refuse(500), 'server', undefined],
    ['is behind a proxy that answers HTML', html, 'server', undefined],
    ['answers 503', refuse(503), 'server', undefined],
    ['answers 503, for 7 seconds', refuse(503, { 'retry-after': '7' }), 'throttled', 7_000],
    ['answers 504', refuse(504), 'timeout', undefined],
  ])('%s: nothing is taken, and all of it the next time', async (_, answer, reason, retryAfterMs) => {
    picky.receiver.answers.push(answer);
    const error: unknown = await sink.deliver(some, never).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'ExporterError', reason, retryAfterMs });
    expect(error).not.toMatchObject({ details: { suspects: expect.anything() } });
    expect(picky.asked()).toBe(1);
    const { deltas, deadLetters } = await sink.deliver(some, never);
    expect(deadLetters).toEqual([]);
    expect(picky.kept).toHaveLength(8);
    const retried = { family: 'vb365_sink_delivered_total', labels: ['hq', 'logs', 'retried'], kind: 'counter', by: 8 };
    expect(deltas).toContainEqual(retried);
  });

  test('refuses connections: nothing is taken', async () => {
    await picky.receiver.close();
    await expect(sink.deliver(some, never)).rejects.toMatchObject({ reason: 'network' });
  });

  test.each([1, 2, 3, 4, 5])('fails at step %i of a search for the poison record: it is found later', async step => {
    picky.poison.add(guid(5));
    picky.receiver.answers.push(
      ...Array.from({ length: step }, (): Answer => (response, request) => picky.receiver.otherwise(response, request)),
      refuse(503),
    );
    await expect(sink.deliver(some, never)).rejects.toMatchObject({ reason: 'server' });
    const { deadLetters } = await sink.deliver(some, never);
    expect(deadLetters?.map(({ event }) => event)).toEqual([guid(5)]);
    expect(new Set(picky.kept).size).toBe(7);
  });
});

describe('Nothing counted twice: the receiver has taken the request', () => {
  test.each<[string, Answer]>([
    ['with an answer that never ends', endless(200)],
    ['with an answer of more than 4 MiB', refuse(200, {}, 'x'.repeat(4 * 1024 * 1024 + 1))],
    ['with an answer of HTML', refuse(200, { 'content-type': 'text/html' }, '<html>')],
    ['and refuses some by partial success', refuse(200, {}, '{"partialSuccess":{"rejectedLogRecords":"3"}}')],
    ['without a word', refuse(204)],
    ['as well as it can', accept],
  ])('%s: it is sent once', async (_, answer) => {
    picky.receiver.answers.push(answer);
    expect((await sink.deliver(some, never)).deadLetters).toEqual([]);
    expect(picky.asked()).toBe(1);
  });
});
