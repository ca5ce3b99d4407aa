import {
  type IExportLogsServiceResponse,
  type IExportTraceServiceResponse,
  type ISerializer,
  JsonLogsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { OtlpTarget } from '../config/otlp.js';

/** How one kind of telemetry is encoded for OTLP. */
export type Signal<Item, Response> = Readonly<{
  /** For messages: "Could not encode ...". */
  what: string;
  serializers: Readonly<Record<OtlpTarget['protocol'], ISerializer<Item[], Response>>>;
  /** The count of refused items in a response. Not validated: a receiver may write anything. */
  refused: (response: Response) => unknown;
}>;

export const logsSignal: Signal<ReadableLogRecord, IExportLogsServiceResponse> = {
  what: 'log records',
  serializers: { 'http/json': JsonLogsSerializer, 'http/protobuf': ProtobufLogsSerializer },
  refused: response => response.partialSuccess?.rejectedLogRecords,
};

export const tracesSignal: Signal<ReadableSpan, IExportTraceServiceResponse> = {
  what: 'spans',
  serializers: { 'http/json': JsonTraceSerializer, 'http/protobuf': ProtobufTraceSerializer },
  refused: response => response.partialSuccess?.rejectedSpans,
};
