import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Batch, Delivered } from '../../src/pipeline/ports.js';
import { spanIdOf } from '../../src/model/trace-ids.js';
import { tracesTo } from '../support/logs.js';
import { type Answer, refuse } from '../support/otlp-receiver.js';
import { spansOf } from '../support/otlp-spans.js';
import { type PickyReceiver, pickyReceiver } from '../support/picky-receiver.js';
import { batch, guid, session, taken } from '../support/restore.js';

const never = new AbortController().signal;
const sessionId = session().id;

let picky: PickyReceiver;
let sink: ReturnType<typeof tracesTo>;
beforeEach(async () => {
  picky = await pickyReceiver({ idsOf: request => spansOf(request).map(({ spanId }) => spanId) });
  sink = tracesTo(picky.receiver.url, { timeoutMs: 1_000 });
});
afterEach(async () => {
  await sink.close();
  await picky.receiver.close();
});

/** Events `from` up to, not including, `to`. */
const some = (from: number, to: number): Batch =>
  batch({ events: Array.from({ length: to - from }, (_, n) => taken({ id: guid(from + n), order: from + n })) });
const span = (id: string): string => spanIdOf(id) ?? '';
const spans = (from: number, to: number): readonly string[] =>
  Array.from({ length: to - from }, (_, n) => span(guid(from + n)));
const deliver = async (of: Batch): Promise<Delivered> => sink.deliver(of, never);
const delivered = ({ deltas }: Delivered): Readonly<Record<string, number>> =>
  Object.fromEntries(
    deltas.flatMap(delta =>
      delta.kind === 'counter' && delta.family === 'vb365_sink_delivered_total'
        ? [[delta.labels.join(' '), delta.by]]
        : [],
    ),
  );
const suspectBatch = (statusCode: number, suspects: number) => ({
  reason: 'rejected',
  details: { statusCode, suspects },
});

describe('Nothing lost: a span that the receiver answers 400 for', () => {
  test.each([
    ['first', 0],
    ['in the middle', 5],
    ['last', 7],
  ])('%s: exactly that becomes a dead letter, the others are taken', async (_, poison) => {
    picky.poison.add(span(guid(poison)));
    const answer = await deliver(some(0, 8));
    const of = { sink: 'traces', session: sessionId, event: guid(poison), reason: 'refused', at: batch().at };
    expect(answer.deadLetters).toEqual([of]);
    expect(delivered(answer)).toEqual({ 'hq traces delivered': 7, 'hq traces rejected': 1 });
    expect(picky.kept).toEqual(spans(0, 8).filter(id => id !== span(guid(poison))));
  });

  test('of a session itself becomes a dead letter without an event', async () => {
    picky.poison.add(span(sessionId));
    const stopped = session({ open: false, endedAt: 1_496_141_880_000_000_000n });
    const { deadLetters } = await deliver({ ...some(0, 2), results: [stopped] });
    expect(deadLetters).toMatchObject([{ sink: 'traces', session: sessionId, event: '' }]);
  });

  test('alone waits until another span is taken', async () => {
    picky.poison.add(span(guid(0)));
    for (let n = 0; n < 3; n += 1) await expect(deliver(some(0, 1))).rejects.toMatchObject(suspectBatch(400, 1));
    expect((await deliver(some(1, 2))).deadLetters).toEqual([]);
    expect((await deliver(some(0, 1))).deadLetters).toMatchObject([{ event: guid(0) }]);
  });

  test('as it does for everything is not at fault', async () => {
    picky.stubborn(true);
    for (let n = 0; n < 3; n += 1) await expect(deliver(some(0, 8))).rejects.toMatchObject(suspectBatch(400, 8));
    picky.stubborn(false);
    expect((await deliver(some(0, 8))).deadLetters).toEqual([]);
    expect(picky.kept).toEqual(spans(0, 8));
  });
});

function limit(most: number): void {
  const { otherwise } = picky.receiver;
  picky.receiver.otherwise = (response, request) =>
    spansOf(request).length > most ? refuse(413)(response, request) : otherwise(response, request);
}

describe('Nothing lost: 413 for spans', () => {
  test('halves until the pieces fit, in order', async () => {
    limit(3);
    expect((await deliver(some(0, 16))).deadLetters).toEqual([]);
    expect(picky.kept).toEqual(spans(0, 16));
  });

  test('for each of them loses nothing', async () => {
    limit(0);
    await expect(deliver(some(0, 4))).rejects.toMatchObject(suspectBatch(413, 4));
  });
});

describe('Nothing lost: a receiver of spans that', () => {
  test.each<[string, Answer, string, number | undefined]>([
    ['resets the connection', response => response.destroy(), 'network', undefined],
    ['never answers', () => undefined, 'timeout', undefined],
    ['answers 401', refuse(401), 'auth', undefined],
    ['answers 404', refuse(404), 'rejected', undefined],
    ['answers 429, for 7 seconds', refuse(429, { 'retry-after': '7' }), 'throttled', 7_000],
    ['answers 503', refuse(503), 'server', undefined],
  ])('%s gets all of it the next time', async (_, answer, reason, retryAfterMs) => {
    picky.receiver.answers.push(answer);
    const error: unknown = await deliver(some(0, 8)).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ name: 'ExporterError', reason, retryAfterMs });
    expect(error).not.toMatchObject({ details: { suspects: expect.anything() } });
    expect(picky.asked()).toBe(1);
    const again = await deliver(some(0, 8));
    expect(again.deadLetters).toEqual([]);
    expect(delivered(again)).toEqual({ 'hq traces retried': 8 });
    expect(picky.kept).toEqual(spans(0, 8));
  });
});

test('Nothing counted twice: spans refused by partial success are counted, and not sent again', async () => {
  picky.receiver.answers.push(refuse(200, {}, '{"partialSuccess":{"rejectedSpans":"3"}}'));
  const answer = await deliver(some(0, 8));
  expect(answer.deadLetters).toEqual([]);
  expect(delivered(answer)).toEqual({ 'hq traces delivered': 5, 'hq traces rejected': 3 });
  expect(picky.asked()).toBe(1);
});
