import { expect, test } from '@jest/globals';
import { SeverityNumber } from '@opentelemetry/api';
import { ProtobufLogsSerializer } from '@opentelemetry/otlp-transformer';
import { resourceFromAttributes } from '@opentelemetry/resources';
import * as fc from 'fast-check';
import type { Attributes } from '../../src/otlp/attribute.js';
import { type LogRecord, readable } from '../../src/otlp/log-record.js';
import { encodeLogRecords } from '../../src/otlp/protobuf-logs.js';
import { spanContextOf } from '../../src/model/trace-ids.js';

const text = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.constantFrom('', 'Save', 'Größe', '日本', '😀'),
  // Lengths about where one more byte of length begins.
  fc.integer({ min: 120, max: 135 }).map(length => 'x'.repeat(length)),
  fc.integer({ min: 16_370, max: 16_400 }).map(length => 'x'.repeat(length)),
);
const number = fc.oneof(
  fc.maxSafeInteger(),
  fc.double(),
  fc.constantFrom(0, -1, 127, 128, 2 ** 32, 2 ** 53, -(2 ** 63), 2 ** 63),
);
/** Few names, so that values follow each other under one name. */
const attributesNamed = (...names: readonly string[]) =>
  fc.dictionary(fc.constantFrom(...names), fc.oneof(text, number, fc.boolean()));
const time = fc.tuple(fc.nat(9_000_000_000), fc.nat(999_999_999));
const context = fc.option(
  fc.tuple(fc.uuid(), fc.uuid()).map(([session, event]) => spanContextOf(session, event)),
  { nil: undefined },
);

const resource = resourceFromAttributes({ 'service.name': 'vb365-exporter', 'host.name': 'é'.repeat(100) });
const instrumentationScope = { name: 'vb365-exporter', version: '1.2.3' };

/** Records whose owners and sessions are few, so that they share their attributes. */
const logRecords: fc.Arbitrary<readonly LogRecord[]> = fc
  .record({
    owners: fc.array(attributesNamed('owner.name', 'owner.ä'), { minLength: 1, maxLength: 3 }),
    sessions: fc.array(attributesNamed('session.id', 'session.name'), { minLength: 1, maxLength: 3 }),
  })
  .chain(({ owners, sessions }) =>
    fc.array(recordWith(fc.tuple(fc.constantFrom(...owners), fc.constantFrom(...sessions))), {
      minLength: 1,
      maxLength: 20,
    }),
  );

const recordWith = (shared: fc.Arbitrary<readonly Attributes[]>): fc.Arbitrary<LogRecord> =>
  fc
    .record({
      hrTime: time,
      hrTimeObserved: time,
      body: text,
      attributes: fc.record({ own: attributesNamed('a', 'b', 'veeam.restore.item.name', 'ä'), shared }),
      context,
    })
    .map(({ context: spanContext, ...parts }) => ({
      ...parts,
      severityNumber: SeverityNumber.ERROR,
      severityText: 'ERROR',
      eventName: 'veeam.restore.item',
      droppedAttributesCount: 0,
      resource,
      instrumentationScope,
      ...(spanContext === undefined ? {} : { spanContext }),
    }));

test('log records have the bytes that the library writes', () => {
  fc.assert(
    fc.property(logRecords, records => {
      const expected = ProtobufLogsSerializer.serializeRequest(records.map(readable));
      expect(Buffer.compare(encodeLogRecords(records), expected ?? Buffer.of())).toBe(0);
    }),
  );
});
