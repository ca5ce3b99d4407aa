import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { systemClock } from '../../src/kernel/clock.js';
import { acknowledgingExporter, logsSignal } from '../../src/otlp/exporter.js';
import { type OtlpTransport, otlpTransport } from '../../src/otlp/transport.js';
import { itemRecord, type LogRecord } from '../../src/otlp/log-record.js';
import { origin } from '../support/logs.js';
import { target } from '../support/otlp-target.js';
import { type OtlpReceiver, otlpReceiver } from '../support/otlp-receiver.js';
import { taken } from '../support/restore.js';

const never = new AbortController().signal;
const record = itemRecord(taken(), origin, { observedAt: 0n });

/** A transport that answers with `body`, or fails with what it throws. */
const answering = (answer: () => Uint8Array | undefined): OtlpTransport => ({
  send: async () => answer(),
  quote: body => body,
  close: async () => undefined,
});
const text = (body: string) =>
  acknowledgingExporter(
    logsSignal,
    'http/json',
    answering(() => new TextEncoder().encode(body)),
  );
const bytes = (...body: number[]) =>
  acknowledgingExporter(
    logsSignal,
    'http/protobuf',
    answering(() => Uint8Array.from(body)),
  );

describe('an acknowledgement', () => {
  test.each(['', '{}', 'OK', '<html>', 'null', '[]', '7', '{"partialSuccess":{}}', '{"partialSuccess":"x"}'])(
    'with body %j counts as success',
    async body => {
      await expect(text(body).export([record], never)).resolves.toEqual({ refused: 0 });
    },
  );

  test('without a readable body counts as success', async () => {
    const exporter = acknowledgingExporter(
      logsSignal,
      'http/json',
      answering(() => undefined),
    );
    await expect(exporter.export([record], never)).resolves.toEqual({ refused: 0 });
  });

  test('reports how many records were refused, and why', async () => {
    const exporter = text('{"partialSuccess":{"rejectedLogRecords":"1","errorMessage":"too old"}}');
    await expect(exporter.export([record, record], never)).resolves.toEqual({ refused: 1, answer: 'too old' });
  });

  test('reports it in protobuf too, and a body that is not protobuf counts as success', async () => {
    await expect(bytes(0x0a, 0x02, 0x08, 0x01).export([record, record], never)).resolves.toEqual({ refused: 1 });
    await expect(bytes(0xff, 0xff, 0xff).export([record], never)).resolves.toEqual({ refused: 0 });
  });

  test('belongs to its own request, however they overlap', async () => {
    const gates: (() => void)[] = [];
    let sent = 0;
    const exporter = acknowledgingExporter(logsSignal, 'http/json', {
      send: async () => {
        const refused = String((sent += 1));
        await new Promise<void>(resolve => gates.push(resolve));
        return new TextEncoder().encode(JSON.stringify({ partialSuccess: { rejectedLogRecords: refused } }));
      },
      quote: body => body,
      close: async () => undefined,
    });
    const both = [1, 2].map(async () => exporter.export([record, record, record], never));
    for (const open of gates.toReversed()) open();
    await expect(Promise.all(both)).resolves.toEqual([{ refused: 1 }, { refused: 2 }]);
  });
});

describe('a failure', () => {
  test('of the transport is handed on as it is', async () => {
    const error = new ExporterError('throttled', 'Could not send', { retryAfterMs: 5 });
    const failing = acknowledgingExporter(logsSignal, 'http/json', {
      send: async () => {
        throw error;
      },
      quote: body => body,
      close: async () => undefined,
    });
    await expect(failing.export([record], never)).rejects.toBe(error);
  });

  test.each(['http/json', 'http/protobuf'] as const)('to encode is a rejection, never a hang (%s)', async protocol => {
    const poison = { ...record, hrTime: undefined } as unknown as LogRecord;
    const exporter = acknowledgingExporter(
      logsSignal,
      protocol,
      answering(() => undefined),
    );
    await expect(exporter.export([record, poison], never)).rejects.toMatchObject({
      reason: 'rejected',
      message: 'Could not encode log records',
    });
  });
});

describe('over a real connection', () => {
  let receiver: OtlpReceiver;
  beforeEach(async () => {
    receiver = await otlpReceiver();
  });
  afterEach(async () => receiver.close());

  test.each(['none', 'gzip'] as const)('protobuf arrives as such (%s)', async compression => {
    const to = target(receiver.url, { protocol: 'http/protobuf', compression });
    const transport = otlpTransport(to, '1.2.3', systemClock);
    await acknowledgingExporter(logsSignal, to.protocol, transport).export([record], never);
    await transport.close();
    const [request] = receiver.requests;
    expect(request?.headers['content-type']).toBe('application/x-protobuf');
    expect(request?.body[0]).toBe(0x0a);
    // time_unix_nano, field 1 of a record: fixed64, little endian.
    const time = Buffer.alloc(9, 0x09);
    time.writeBigUInt64LE(1_496_141_848_086_960_700n, 1);
    expect(request?.body.includes(time)).toBe(true);
    expect(request?.body.includes(Buffer.from('755d207eebd649da').toString())).toBe(false);
    expect(request?.body.includes('Image.jpg')).toBe(true);
    expect(request?.body.includes(Buffer.from('61954db672784d2686f7888bda5a4ec4', 'hex'))).toBe(true);
  });
});
