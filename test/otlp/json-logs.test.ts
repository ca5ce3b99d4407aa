import { describe, expect, test } from '@jest/globals';
import { SeverityNumber } from '@opentelemetry/api';
import { JsonLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import * as fc from 'fast-check';
import { jsonLogsSerializer } from '../../src/otlp/json-logs.js';
import { recorder } from '../../src/otlp/log-record.js';
import { spanContextOf } from '../../src/model/trace-ids.js';
import { RestoreRecord } from '../../src/otlp/restore-record.js';
import { origin } from '../support/logs.js';
import { session, taken } from '../support/restore.js';

const text = (bytes: Uint8Array | undefined): string => new TextDecoder('utf-8', { fatal: true }).decode(bytes);
const jsonLogs = jsonLogsSerializer();
const ours = (records: readonly RestoreRecord[]): string => text(jsonLogs.serializeRequest([...records]));
const library = (records: readonly RestoreRecord[]): string => text(JsonLogsSerializer.serializeRequest([...records]));

const elsewhere = { ...origin, resource: resourceFromAttributes({ 'service.instance.id': 'branch "2"\\' }) };

/** Quotes, backslashes, control characters, any script, lone surrogates: as a server may write them. */
const words = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', '"', '\\', '\u0000\u001f', '\ud800', '日本', '😀'),
);
const value = fc.oneof(words, fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }));
const attributes = (prefix: string) =>
  fc.dictionary(
    words.map(word => `${prefix}.${word}`),
    value,
  );
/** Of a session each: records share them. */
const sessions = [{ 'veeam.restore.session.id': 'a' }, { 'veeam.restore.session.id': 'b "c"', size: 5 }, {}];
const nanos = fc.bigInt({ min: -5n, max: 2n ** 63n });

const anyRecord = fc
  .record({
    body: words,
    times: fc.record({ bears: nanos, observedAt: nanos }),
    context: fc.constantFrom(undefined, spanContextOf(session().id, session().id)),
    attributes: fc.record({
      before: attributes('before'),
      shared: fc.constantFrom(...sessions),
      after: attributes('after'),
    }),
  })
  .map(
    parts =>
      new RestoreRecord({
        origin,
        eventName: 'veeam.restore.item',
        severity: { number: SeverityNumber.INFO, text: 'INFO' },
        ...parts,
      }),
  );

describe('writes what the library writes', () => {
  test('of our own records', () => {
    const records = [
      recorder(origin).item(taken(), 1_496_141_848_086_960_700n),
      recorder(origin).item(taken({ status: { label: 'Failed', raw: 'Failed' }, reason: 'no "way"' }), 5n),
      recorder(origin).session(session({ open: false, endedAt: 7n }), 5n),
    ];
    expect(ours(records)).toBe(library(records));
  });

  test('of any records of one origin', () => {
    fc.assert(
      fc.property(fc.array(anyRecord, { maxLength: 8 }), records => {
        expect(ours(records)).toBe(library(records));
      }),
    );
  });
});

test('puts each record below its own resource and scope', () => {
  const [first, second] = [recorder(origin).item(taken(), 0n), recorder(elsewhere).item(taken(), 0n)];
  expect(ours([first, second])).toBe(library([first, second]));
  expect(JSON.parse(ours([first, second, first]))).toMatchObject({
    resourceLogs: [origin, elsewhere, origin].map(({ resource }) => ({
      resource: { attributes: Object.keys(resource.attributes).map(key => ({ key })) },
    })),
  });
});

test('begins anew after records that cannot be written', () => {
  const record = recorder(origin).item(taken(), 0n);
  const poison = Object.assign(recorder(origin).item(taken(), 0n), { hrTime: undefined });
  expect(() => jsonLogs.serializeRequest([record, poison])).toThrow(TypeError);
  expect(ours([record])).toBe(library([record]));
});

test('reads an answer as the library does', () => {
  const answer = new TextEncoder().encode('{"partialSuccess":{"rejectedLogRecords":"3"}}');
  expect(jsonLogs.deserializeResponse(answer)).toEqual({ partialSuccess: { rejectedLogRecords: '3' } });
});
