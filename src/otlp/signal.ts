import {
  type IExporterMetricsHelper,
  type IExportLogsServiceResponse,
  type IExportTraceServiceResponse,
  type ISerializer,
  JsonTraceSerializer,
  LogsExporterMetricsHelper,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
  TraceExporterMetricsHelper,
} from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { RestoreRecord } from './restore-record.js';
import { jsonLogsSerializer } from './json-logs.js';
import type { OtlpTarget } from './transport.js';

/** What one kind of telemetry needs to be sent over OTLP, as data. */
export type Signal<Item, Response> = Readonly<{
  /** For messages: "Cannot send ...". */
  what: string;
  serializers: Readonly<Record<OtlpTarget['protocol'], ISerializer<Item[], Response>>>;
  /** How many items the other side will not keep, as it wrote it: anything may stand there. */
  refused: (response: Response | undefined) => unknown;
  metricsHelper: IExporterMetricsHelper<Item[]>;
}>;

export const logsSignal = (): Signal<RestoreRecord, IExportLogsServiceResponse> => ({
  what: 'log records',
  serializers: { 'http/json': jsonLogsSerializer(), 'http/protobuf': ProtobufLogsSerializer },
  refused: response => response?.partialSuccess?.rejectedLogRecords,
  metricsHelper: LogsExporterMetricsHelper,
});

export const tracesSignal: Signal<ReadableSpan, IExportTraceServiceResponse> = {
  what: 'spans',
  serializers: { 'http/json': JsonTraceSerializer, 'http/protobuf': ProtobufTraceSerializer },
  refused: response => response?.partialSuccess?.rejectedSpans,
  metricsHelper: TraceExporterMetricsHelper,
};
