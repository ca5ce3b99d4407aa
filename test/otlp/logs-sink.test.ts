import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { milliseconds } from '../../src/model/time.js';
import type { Batch } from '../../src/pipeline/ports.js';
import { at, batch, guid, session, taken } from '../support/restore.js';
import { logsTo } from '../support/logs.js';
import { type OtlpReceiver, otlpReceiver, recordsOf, refuse } from '../support/otlp-receiver.js';

const never = new AbortController().signal;

let receiver: OtlpReceiver;
let sink: ReturnType<typeof logsTo>;
beforeEach(async () => {
  receiver = await otlpReceiver();
  sink = logsTo(receiver.url);
});
afterEach(async () => {
  await sink.close();
  await receiver.close();
});

const many = (count: number): Batch =>
  batch({ events: Array.from({ length: count }, (_, order) => taken({ id: guid(order), order })) });

describe('on the wire', () => {
  test('is the event of the v3 example, to the tick, its Windows path intact', async () => {
    await sink.deliver(batch({ events: [taken()] }), never);
    const [request] = receiver.requests;
    expect(request?.url).toBe('/v1/logs');
    expect(JSON.parse(request?.body.toString() ?? '')).toEqual({
      resourceLogs: [
        {
          resource: {
            attributes: [{ key: 'service.name', value: { stringValue: 'vb365-exporter' } }],
            droppedAttributesCount: 0,
          },
          scopeLogs: [
            {
              scope: { name: 'vb365-exporter', version: '1.2.3' },
              logRecords: [
                {
                  timeUnixNano: '1496141848086960700',
                  observedTimeUnixNano: '1496141851000000000',
                  severityNumber: 9,
                  severityText: 'INFO',
                  eventName: 'veeam.restore.item',
                  body: { stringValue: 'Save of "Image.jpg" succeeded (#1, 755d207e)' },
                  attributes: [
                    { key: 'log.record.uid', value: { stringValue: '755d207e-ebd6-49da-9943-3b9e5eb31dee' } },
                    { key: 'veeam.event.kind', value: { stringValue: 'veeam.restore.item' } },
                    { key: 'veeam.restore.event.type', value: { stringValue: 'Save' } },
                    { key: 'veeam.restore.event.status', value: { stringValue: 'Success' } },
                    { key: 'veeam.restore.event.order', value: { intValue: 1 } },
                    { key: 'veeam.restore.event.duration', value: { doubleValue: 0.0446928 } },
                    { key: 'veeam.restore.item.name', value: { stringValue: 'Image.jpg' } },
                    { key: 'veeam.restore.item.type', value: { stringValue: 'Item' } },
                    { key: 'veeam.restore.source', value: { stringValue: '/personal/orgUser/Documents/Image.jpg' } },
                    {
                      key: 'veeam.restore.target',
                      value: {
                        stringValue:
                          'C:\\Users\\user\\AppData\\Local\\Temp\\REST_SHAREPOINT_EXPORT_224b14b4-95eb-4d6c-b959-6ffc688b7576\\7077ffb8-4f64-40d7-8fcc-32f13999b727',
                      },
                    },
                    { key: 'veeam.restore.session.id', value: { stringValue: '61954db6-7278-4d26-86f7-888bda5a4ec4' } },
                    { key: 'veeam.restore.session.name', value: { stringValue: 'Restore of contoso' } },
                    { key: 'veeam.restore.session.type', value: { stringValue: 'Vesp' } },
                    { key: 'veeam.restore.session.initiator', value: { stringValue: 'CONTOSO\\alice' } },
                    { key: 'veeam.restore.session.client.host', value: { stringValue: '10.0.0.7' } },
                    { key: 'veeam.restore.session.client.address', value: { stringValue: '10.0.0.7' } },
                    { key: 'veeam.organization.name', value: { stringValue: 'contoso.onmicrosoft.com' } },
                  ],
                  droppedAttributesCount: 0,
                  flags: 1,
                  traceId: '61954db672784d2686f7888bda5a4ec4',
                  spanId: 'ec1e1be0b5655434',
                },
              ],
            },
          ],
        },
      ],
    });
  });

  test('are records in order of time, the session after its items', async () => {
    const ended = '2017-05-30T10:57:29.0000001Z';
    const events = ['29.0000001', '28.0000002', '28.0000001'].map((second, order) =>
      taken({ id: guid(order), order, endedAt: at(`2017-05-30T10:57:${second}Z`) }),
    );
    await sink.deliver(batch({ events, results: [session({ endedAt: at(ended) })] }), never);
    expect(receiver.records().map(({ timeUnixNano, eventName }) => [timeUnixNano, eventName])).toEqual([
      ['1496141848000000100', 'veeam.restore.item'],
      ['1496141848000000200', 'veeam.restore.item'],
      ['1496141849000000100', 'veeam.restore.item'],
      ['1496141849000000100', 'veeam.restore.session'],
    ]);
  });

  test('are requests of bounded size, on connections that are kept', async () => {
    await sink.deliver(many(1_025), never);
    expect(receiver.requests.map(request => recordsOf(request).length)).toEqual([512, 512, 1]);
    expect(new Set(receiver.requests.map(({ socket }) => socket)).size).toBeLessThanOrEqual(2);
    expect(new Set(receiver.records().map(({ body }) => body.stringValue)).size).toBe(1_025);
  });

  test('ids that are not GUIDs do not break a batch', async () => {
    await sink.deliver(batch({ events: [taken({ id: '../x' }), taken()] }), never);
    expect(receiver.records().map(({ traceId }) => traceId)).toEqual([undefined, '61954db672784d2686f7888bda5a4ec4']);
  });
});

describe('when a request of several fails', () => {
  test('the whole batch is not taken, and what is repeated is recognised by its uid', async () => {
    receiver.answers.push(refuse(200, {}, '{}'), refuse(503, { 'retry-after': '7' }));
    await expect(sink.deliver(many(600), never)).rejects.toMatchObject({ reason: 'throttled', retryAfterMs: 7_000 });
    expect(receiver.requests).toHaveLength(2);
    await sink.deliver(many(600), never);
    const uids = receiver.records().map(({ attributes }) => attributes[0]?.value['stringValue']);
    expect(uids).toHaveLength(1_200);
    expect(new Set(uids).size).toBe(600);
  });
});

const partial = (partialSuccess: unknown) =>
  refuse(200, { 'content-type': 'application/json' }, JSON.stringify({ partialSuccess }));
const outcome = async (): Promise<unknown> =>
  (await sink.deliver(many(3), never)).deltas
    .filter(({ family }) => /delivered|rejected/.test(family))
    .map(delta => [...delta.labels.slice(2), delta.kind === 'counter' ? delta.by : undefined]);

describe('partial success', () => {
  test.each([
    ['2', 2],
    [2, 2],
    [99, 3],
  ])('rejectedLogRecords %j: %i are counted, and never sent again', async (rejectedLogRecords, refused) => {
    receiver.answers.push(partial({ rejectedLogRecords, errorMessage: 'too old' }));
    expect(await outcome()).toEqual([
      ...(refused < 3 ? [['delivered', 3 - refused]] : []),
      ['rejected', refused],
      ['partial_success', refused],
    ]);
    expect(receiver.requests).toHaveLength(1);
  });

  test.each([
    [{ errorMessage: 'slow down', rejectedLogRecords: '0' }],
    [{ rejectedLogRecords: -1 }],
    [{ rejectedLogRecords: 'x' }],
    [null],
    [7],
  ])('%j is a success', async partialSuccess => {
    receiver.answers.push(partial(partialSuccess));
    expect(await outcome()).toEqual([['delivered', 3]]);
  });

  test('of several requests add up', async () => {
    receiver.answers.push(partial({ rejectedLogRecords: '5' }), partial({ rejectedLogRecords: '7' }));
    expect((await sink.deliver(many(600), never)).deltas).toContainEqual(
      expect.objectContaining({ labels: ['hq', 'logs', 'rejected'], by: 12 }),
    );
  });
});

describe('records that the backend would refuse as too old', () => {
  test('bear the time of sending, come last in order of their own time, and keep that', async () => {
    const limited = logsTo(
      receiver.url,
      {},
      { maxAge: milliseconds(60_000), maxBehind: undefined, maxAhead: undefined },
    );
    const ended = ['10:57:29Z', '08:00:00Z', '10:57:28Z', '07:00:00Z'];
    const events = ended.map((time, order) => taken({ id: guid(order), order, endedAt: at(`2017-05-30T${time}`) }));
    await limited.deliver(batch({ events, results: [session({ endedAt: at('2017-05-30T09:00:00Z') })] }), never);
    await limited.close();
    const records = receiver
      .records()
      .map(({ timeUnixNano, attributes }) => [
        timeUnixNano,
        attributes.find(({ key }) => key === 'veeam.event.time')?.value['stringValue'],
      ]);
    expect(records).toEqual([
      ['1496141848000000000', undefined],
      ['1496141849000000000', undefined],
      ['1496141851000000000', '2017-05-30T07:00:00.0000000Z'],
      ['1496141851000000000', '2017-05-30T08:00:00.0000000Z'],
      ['1496141851000000000', '2017-05-30T09:00:00.0000000Z'],
    ]);
  });
});
