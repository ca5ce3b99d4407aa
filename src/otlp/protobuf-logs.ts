import type { HrTime } from '@opentelemetry/api';
import type { LogRecord } from './log-record.js';
import { ProtobufWriter } from './protobuf-writer.js';

/** The length of a record takes two bytes from 128 to 16,383. */
const recordLengthBytes = 2;

/**
 * Encodes log records as an `ExportLogsServiceRequest`, in the bytes that the library writes.
 * @param records one or more, all of one resource and scope. Attributes are texts, numbers and booleans, bodies are texts.
 * Source: opentelemetry/proto, logs.proto.
 */
export function encodeLogRecords(records: readonly LogRecord[]): Uint8Array {
  const writer = new ProtobufWriter();
  const [first] = records;
  if (first === undefined) return writer.written();
  const resourceLogs = writer.open(1);
  writeResource(writer, first);
  const scopeLogs = writer.open(2);
  writeScope(writer, first);
  for (const record of records) {
    const start = writer.open(2, recordLengthBytes);
    writeRecord(writer, record);
    writer.close(start, recordLengthBytes);
  }
  writer.close(scopeLogs);
  writer.close(resourceLogs);
  return writer.written();
}

function writeResource(writer: ProtobufWriter, { resource }: LogRecord): void {
  const start = writer.open(1);
  for (const [name, value] of Object.entries(resource.attributes)) writer.keyValue(1, name, value);
  writer.integer(2, 0);
  writer.close(start);
}

function writeScope(writer: ProtobufWriter, { instrumentationScope: { name, version } }: LogRecord): void {
  const start = writer.open(1);
  writer.text(1, name);
  if (version !== undefined) writer.text(2, version);
  writer.close(start);
}

function writeRecord(writer: ProtobufWriter, record: LogRecord): void {
  const { severityNumber = 0, severityText = '', eventName = '', attributes, spanContext } = record;
  writer.fixed64(1, nanosOf(record.hrTime));
  writer.integer(2, severityNumber);
  writer.text(3, severityText);
  const body = writer.open(5);
  writer.text(1, String(record.body));
  writer.close(body);
  writer.attributes(6, attributes.own);
  for (const shared of attributes.shared) writer.sharedAttributes(6, shared);
  writer.integer(7, record.droppedAttributesCount);
  if (spanContext !== undefined) {
    writer.fixed32(8, spanContext.traceFlags);
    writer.hex(9, spanContext.traceId);
    writer.hex(10, spanContext.spanId);
  }
  writer.fixed64(11, nanosOf(record.hrTimeObserved));
  writer.text(12, eventName);
}

const nanosOf = ([seconds, nanos]: HrTime): bigint => BigInt(seconds) * 1_000_000_000n + BigInt(nanos);
