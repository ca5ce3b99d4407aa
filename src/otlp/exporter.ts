import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import {
  createOtlpNetworkExportDelegate,
  ExporterMetrics,
  getSharedConfigurationDefaults,
  OTLPExporterBase,
} from '@opentelemetry/otlp-exporter-base';
import type { ISerializer } from '@opentelemetry/otlp-transformer';
import { ExporterError } from '../kernel/errors.js';
import type { OtlpTarget, OtlpTransport } from './transport.js';
import type { Signal } from './signal.js';

/** The other side has taken a request. */
export type Acknowledgement = Readonly<{
  /** How many of its items it will not keep (partial success). They must not be sent again, and it does not say which. */
  refused: number;
}>;

/** Sends log records, or spans, and tells what became of them, which the stock OTLP exporters do not. */
export interface AcknowledgingExporter<Item> {
  /**
   * One request, one try. `items` is not empty.
   * @throws {ExporterError} as `OtlpTransport.send`; `rejected` also for items that cannot be encoded.
   */
  export(items: readonly Item[], signal: AbortSignal): Promise<Acknowledgement>;
}

/**
 * Made of the parts of the stock exporter, but with a delegate of its own per request: so the answer that is read and
 * the signal that aborts belong to one request only. The deadline is the transport's.
 */
export function acknowledgingExporter<Item, Response>(
  { what, serializers, refused, metricsHelper }: Signal<Item, Response>,
  protocol: OtlpTarget['protocol'],
  transport: OtlpTransport,
): AcknowledgingExporter<Item> {
  const metrics = new ExporterMetrics<Item[]>({
    componentType: `otlp_http${protocol === 'http/json' ? '_json' : ''}_${metricsHelper.name}_exporter`,
    metricsHelper,
    url: undefined,
    meterProvider: undefined,
    responseAttributesFromError: () => ({}),
  });
  return {
    export: async (items, signal) => {
      let told: unknown;
      const serializer = listening(serializers[protocol], answer => (told = refused(answer)));
      const network = networkOf(transport, signal);
      const delegate = createOtlpNetworkExportDelegate(getSharedConfigurationDefaults(), serializer, metrics, network);
      await exported(new OTLPExporterBase(delegate), items, what);
      return { refused: refusedOf(told, items.length) };
    },
  };
}

/** The serializer, and `heard` gets every answer it decodes. */
function listening<Item, Response>(
  serializer: ISerializer<Item[], Response>,
  heard: (answer: Response) => void,
): ISerializer<Item[], Response> {
  return {
    serializeRequest: items => serializer.serializeRequest(items),
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

/** Resolves when the items are taken. An `export` that throws, as it does for what it cannot encode, rejects as well. */
async function exported<Item>(exporter: OTLPExporterBase<Item[]>, items: readonly Item[], what: string): Promise<void> {
  const result = await new Promise<ExportResult>(resolve => {
    exporter.export([...items], resolve);
  }).catch((error: unknown): ExportResult => ({ code: ExportResultCode.FAILED, ...asError(error) }));
  if (result.code === ExportResultCode.SUCCESS) return;
  if (result.error instanceof ExporterError) throw result.error;
  throw new ExporterError('rejected', `Cannot encode ${what}`, { cause: result.error });
}

const asError = (thrown: unknown): Readonly<{ error?: Error }> => (thrown instanceof Error ? { error: thrown } : {});

/**
 * The count comes as the other side wrote it: a number from protobuf, a string from JSON (proto3-JSON of an int64), or
 * anything. What cannot be a count is 0, and no answer refuses more than was sent.
 */
function refusedOf(told: unknown, sent: number): number {
  const count = Number(told ?? 0);
  return count > 0 ? Math.min(Math.floor(count), sent) : 0;
}
