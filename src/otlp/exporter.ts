import {
  type IExportLogsServiceResponse,
  type IExportTraceServiceResponse,
  type ISerializer,
  JsonLogsSerializer,
  JsonTraceSerializer,
  ProtobufLogsSerializer,
  ProtobufTraceSerializer,
} from '@opentelemetry/otlp-transformer';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import type { OtlpTarget } from '../config/otlp.js';
import { ExporterError } from '../kernel/errors.js';
import { type LogRecord, readable } from './log-record.js';
import { encodeLogRecords } from './protobuf-logs.js';
import type { OtlpTransport } from './transport.js';

/** How one kind of telemetry is encoded for OTLP. */
type Signal<Item, Response> = Readonly<{
  /** For messages: "Could not encode ...". */
  what: string;
  serializers: Readonly<Record<OtlpTarget['protocol'], ISerializer<Item[], Response>>>;
  /** The count of refused items in a response, and why. Not validated: a receiver may write anything. */
  refused: (response: Response) => Readonly<{ count: unknown; message: unknown }>;
}>;

export const logsSignal: Signal<LogRecord, IExportLogsServiceResponse> = {
  what: 'log records',
  serializers: {
    'http/json': {
      ...JsonLogsSerializer,
      serializeRequest: records => JsonLogsSerializer.serializeRequest(records.map(readable)),
    },
    'http/protobuf': { ...ProtobufLogsSerializer, serializeRequest: encodeLogRecords },
  },
  refused: ({ partialSuccess: part }) => ({ count: part?.rejectedLogRecords, message: part?.errorMessage }),
};

export const tracesSignal: Signal<ReadableSpan, IExportTraceServiceResponse> = {
  what: 'spans',
  serializers: { 'http/json': JsonTraceSerializer, 'http/protobuf': ProtobufTraceSerializer },
  refused: ({ partialSuccess: part }) => ({ count: part?.rejectedSpans, message: part?.errorMessage }),
};

/** The receiver has accepted a request. */
export type Acknowledgement = Readonly<{
  /** How many of its items the receiver dropped (partial success). It does not say which; they must not be sent again. */
  refused: number;
  /** What the receiver said about them, without what was sent; absent for nothing. */
  answer?: string;
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
      const { count, message } = refusedIn(() => refused(serializer.deserializeResponse(answer)));
      if (count === 0) return { refused: 0 };
      const said = message === '' ? '' : transport.quote(message, values());
      return { refused: Math.min(count, items.length), ...(said === '' ? {} : { answer: said }) };
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
function refusedIn(read: () => Readonly<{ count: unknown; message: unknown }>) {
  try {
    const { count: written, message } = read();
    const count = Math.floor(Number(written ?? 0));
    return { count: count > 0 ? count : 0, message: typeof message === 'string' ? message : '' };
  } catch {
    return { count: 0, message: '' };
  }
}
