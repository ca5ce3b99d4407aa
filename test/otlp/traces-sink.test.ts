import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { sessionResult } from '../../src/model/session.js';
import { tracesTo } from '../support/logs.js';
import { type OtlpReceiver, otlpReceiver, refuse } from '../support/otlp-receiver.js';
import { otlpSpans, spansOf } from '../support/otlp-spans.js';
import { at, batch, guid, session, taken } from '../support/restore.js';

const never = new AbortController().signal;

let receiver: OtlpReceiver;
let sink: ReturnType<typeof tracesTo>;
beforeEach(async () => {
  receiver = await otlpReceiver();
  sink = tracesTo(receiver.url);
});
afterEach(async () => {
  await sink.close();
  await receiver.close();
});

const spans = () => otlpSpans(receiver);
const many = (count: number) =>
  batch({ events: Array.from({ length: count }, (_, order) => taken({ id: guid(order), order })) });
const stopped = session({ open: false, endedAt: at('2017-05-30T10:58:00Z'), result: sessionResult('Warning') });

describe('on the wire', () => {
  test('a session is one trace: its events are children of its root', async () => {
    await sink.deliver(batch({ events: [taken()], results: [stopped] }), never);
    const [request] = receiver.requests;
    expect(request?.url).toBe('/v1/traces');
    const traceId = '61954db672784d2686f7888bda5a4ec4';
    expect(spans()).toEqual([
      expect.objectContaining({
        traceId,
        spanId: 'ec1e1be0b5655434',
        parentSpanId: 'e762c53da82203e2',
        name: 'save item',
        kind: 1,
        startTimeUnixNano: '1496141848042267900',
        endTimeUnixNano: '1496141848086960700',
        status: { code: 1 },
      }),
      expect.objectContaining({
        traceId,
        spanId: 'e762c53da82203e2',
        name: 'restore session',
        kind: 1,
        startTimeUnixNano: '1496141624000000000',
        endTimeUnixNano: '1496141880000000000',
        status: { code: 0 },
      }),
    ]);
    expect(spans()[1]?.parentSpanId ?? '').toBe('');
  });

  test('are requests of bounded size', async () => {
    await sink.deliver(many(1_025), never);
    expect(receiver.requests.map(request => spansOf(request).length)).toEqual([512, 512, 1]);
    expect(new Set(spans().map(({ spanId }) => spanId)).size).toBe(1_025);
  });
});

describe('Nothing counted twice: a repetition', () => {
  test('is the same spans, by their ids', async () => {
    const some = batch({ events: [taken()], results: [stopped] });
    receiver.answers.push(refuse(503));
    await expect(sink.deliver(some, never)).rejects.toMatchObject({ reason: 'server' });
    await sink.deliver(some, never);
    const [first, second] = receiver.requests.map(request => spansOf(request));
    expect(second).toEqual(first);
  });
});

describe('what is refused', () => {
  test('by the other side is counted', async () => {
    receiver.answers.push(refuse(200, {}, '{"partialSuccess":{"rejectedSpans":"1"}}'));
    const { deltas } = await sink.deliver(many(3), never);
    expect(deltas).toContainEqual(
      expect.objectContaining({ family: 'vb365_sink_delivered_total', labels: ['hq', 'traces', 'rejected'], by: 1 }),
    );
    expect(deltas).toContainEqual(
      expect.objectContaining({ family: 'vb365_sink_delivered_total', labels: ['hq', 'traces', 'delivered'], by: 2 }),
    );
  });

  test('because its session has the empty GUID, which is no trace, is counted and holds up nothing', async () => {
    const id = '00000000-0000-0000-0000-000000000000';
    const { deltas } = await sink.deliver(
      batch({ events: [taken({}, { id }), taken()], results: [session({ id })] }),
      never,
    );
    expect(spans()).toHaveLength(1);
    expect(deltas).toContainEqual(
      expect.objectContaining({ family: 'vb365_events_rejected_total', labels: ['hq', 'traces', 'no_id'], by: 2 }),
    );
    expect(deltas).toContainEqual(
      expect.objectContaining({ family: 'vb365_sink_delivered_total', labels: ['hq', 'traces', 'delivered'], by: 1 }),
    );
  });

  test('because its own id is not a GUID, which makes no span, is counted as well', async () => {
    const { deltas } = await sink.deliver(batch({ events: [taken({ id: '17' }), taken()] }), never);
    expect(spans()).toHaveLength(1);
    for (const [family, outcome] of [
      ['vb365_events_rejected_total', 'no_id'],
      ['vb365_sink_delivered_total', 'delivered'],
    ])
      expect(deltas).toContainEqual(expect.objectContaining({ family, labels: ['hq', 'traces', outcome], by: 1 }));
  });
});
