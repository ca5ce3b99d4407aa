import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import {
  createOtlpNetworkExportDelegate,
  ExporterMetrics,
  getSharedConfigurationDefaults,
  OTLPExporterBase,
} from '@opentelemetry/otlp-exporter-base';
import {
  type IExportLogsServiceResponse,
  type ISerializer,
  JsonLogsSerializer,
  LogsExporterMetricsHelper,
  ProtobufLogsSerializer,
} from '@opentelemetry/otlp-transformer';
import type { ReadableLogRecord } from '@opentelemetry/sdk-logs';
import { ExporterError } from '../kernel/errors.js';
import type { OtlpTarget, OtlpTransport } from './otlp-transport.js';

/** The other side has taken a request. */
export type Acknowledgement = Readonly<{
  /** How many of its records it will not keep (partial success). They must not be sent again, and it does not say which. */
  refused: number;
}>;

/** Sends log records and tells what became of them, which the stock OTLP exporter does not. */
export interface AcknowledgingExporter<Item = ReadableLogRecord> {
  /**
   * One request, one try. `records` is not empty.
   * @throws {ExporterError} as `OtlpTransport.send`; `rejected` also for records that cannot be encoded.
   */
  export(records: readonly Item[], signal: AbortSignal): Promise<Acknowledgement>;
}

type Serializer = ISerializer<ReadableLogRecord[], IExportLogsServiceResponse>;

const serializers: Readonly<Record<OtlpTarget['protocol'], Serializer>> = {
  'http/json': JsonLogsSerializer,
  'http/protobuf': ProtobufLogsSerializer,
};

/**
 * Made of the parts of the stock exporter, but with a delegate of its own per request: so the answer that is read and
 * the signal that aborts belong to one request only. The deadline is the transport's.
 */
export function acknowledgingExporter(
  protocol: OtlpTarget['protocol'],
  transport: OtlpTransport,
): AcknowledgingExporter {
  const metrics = new ExporterMetrics<ReadableLogRecord[]>({
    componentType: protocol === 'http/json' ? 'otlp_http_json_log_exporter' : 'otlp_http_log_exporter',
    metricsHelper: LogsExporterMetricsHelper,
    url: undefined,
    meterProvider: undefined,
    responseAttributesFromError: () => ({}),
  });
  return {
    export: async (records, signal) => {
      let response: IExportLogsServiceResponse | undefined;
      const serializer = listening(serializers[protocol], answer => (response = answer));
      const network = networkOf(transport, signal);
      const delegate = createOtlpNetworkExportDelegate(getSharedConfigurationDefaults(), serializer, metrics, network);
      await exported(new OTLPExporterBase(delegate), records);
      return { refused: refusedOf(response, records.length) };
    },
  };
}

/** The serializer, and `heard` gets every answer it decodes. */
function listening(serializer: Serializer, heard: (answer: IExportLogsServiceResponse) => void): Serializer {
  return {
    serializeRequest: records => serializer.serializeRequest(records),
    deserializeResponse: data => {
      const answer = serializer.deserializeResponse(data);
      heard(answer);
      return answer;
    },
  };
}

type Network = Parameters<typeof createOtlpNetworkExportDelegate>[3];

function networkOf(transport: OtlpTransport, signal: AbortSignal): Network {
  return {
    send: async data => {
      const body = await transport.send(data, signal);
      return body === undefined ? { status: 'success' } : { status: 'success', data: body };
    },
    shutdown: () => undefined,
  };
}

/** Resolves when the records are taken. An `export` that throws, as it does for what it cannot encode, rejects as well. */
async function exported(
  exporter: OTLPExporterBase<ReadableLogRecord[]>,
  records: readonly ReadableLogRecord[],
): Promise<void> {
  const result = await new Promise<ExportResult>(resolve => {
    exporter.export([...records], resolve);
  }).catch((error: unknown): ExportResult => ({ code: ExportResultCode.FAILED, ...asError(error) }));
  if (result.code === ExportResultCode.SUCCESS) return;
  if (result.error instanceof ExporterError) throw result.error;
  throw new ExporterError('rejected', 'Cannot encode log records', { cause: result.error });
}

const asError = (thrown: unknown): Readonly<{ error?: Error }> => (thrown instanceof Error ? { error: thrown } : {});

/**
 * The count comes as the other side wrote it: a number from protobuf, a string from JSON (proto3-JSON of an int64), or
 * anything. What cannot be a count is 0, and no answer refuses more than was sent.
 */
function refusedOf(response: IExportLogsServiceResponse | undefined, sent: number): number {
  const told: unknown = response?.partialSuccess?.rejectedLogRecords;
  const count = Number(told ?? 0);
  return count > 0 ? Math.min(Math.floor(count), sent) : 0;
}
