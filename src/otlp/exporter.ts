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
import { ExporterError } from '../kernel/errors.js';
import { encodeLogRecords } from './protobuf-logs.js';
import type { OtlpTransport } from './transport.js';

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
  serializers: {
    'http/json': JsonLogsSerializer,
    'http/protobuf': { ...ProtobufLogsSerializer, serializeRequest: encodeLogRecords },
  },
  refused: response => response.partialSuccess?.rejectedLogRecords,
};

export const tracesSignal: Signal<ReadableSpan, IExportTraceServiceResponse> = {
  what: 'spans',
  serializers: { 'http/json': JsonTraceSerializer, 'http/protobuf': ProtobufTraceSerializer },
  refused: response => response.partialSuccess?.rejectedSpans,
};

/** The receiver has accepted a request. */
export type Acknowledgement = Readonly<{
  /** How many of its items the receiver dropped (partial success). It does not say which; they must not be sent again. */
  refused: number;
}>;

/** Sends log records or spans and reports the answer, which the stock OTLP exporters hide. */
export interface AcknowledgingExporter<Item> {
  /**
   * Sends one request once. `items` is not empty.
   * @throws {ExporterError} as `OtlpTransport.send`; `rejected` also for items that cannot be encoded.
   */
  export(items: readonly Item[], signal: AbortSignal): Promise<Acknowledgement>;
}

export function acknowledgingExporter<Item, Response>(
  { what, serializers, refused }: Signal<Item, Response>,
  protocol: OtlpTarget['protocol'],
  transport: OtlpTransport,
): AcknowledgingExporter<Item> {
  const serializer = serializers[protocol];
  return {
    export: async (items, signal) => {
      const values = (): readonly string[] => valuesIn(serializers['http/json'], items);
      const answer = await transport.send(encode(serializer, items, what), signal, values);
      if (answer === undefined) return { refused: 0 };
      const count = countOf(() => refused(serializer.deserializeResponse(answer)));
      return { refused: Math.min(count, items.length) };
    },
  };
}

function encode<Item>(serializer: ISerializer<Item[], unknown>, items: readonly Item[], what: string): Uint8Array {
  try {
    const body = serializer.serializeRequest([...items]);
    if (body !== undefined) return body;
  } catch (cause) {
    throw new ExporterError('rejected', `Could not encode ${what}`, { cause });
  }
  throw new ExporterError('rejected', `Could not encode ${what}`);
}

/** Every value in the items, their resource and their scope, without the names of attributes and fields. */
function valuesIn<Item>(json: ISerializer<Item[], unknown>, items: readonly Item[]): readonly string[] {
  const values: string[] = [];
  JSON.parse(new TextDecoder().decode(json.serializeRequest([...items])), (key, value: unknown) => {
    if (key !== 'key' && (typeof value === 'string' || typeof value === 'number')) values.push(String(value));
    return value;
  });
  return values;
}

/** The count is a number in protobuf and a string in JSON. What cannot be read or is not a count is 0. */
function countOf(read: () => unknown): number {
  try {
    const count = Math.floor(Number(read() ?? 0));
    return count > 0 ? count : 0;
  } catch {
    return 0;
  }
}
