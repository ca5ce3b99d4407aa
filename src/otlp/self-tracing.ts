import { context, propagation, type Span, SpanKind, SpanStatusCode, trace, type Tracer } from '@opentelemetry/api';
import { type ExportResult, ExportResultCode } from '@opentelemetry/core';
import { detectResources, envDetector, type Resource, resourceFromAttributes } from '@opentelemetry/resources';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor, type ReadableSpan, type SpanExporter } from '@opentelemetry/sdk-trace';
import { ATTR_ERROR_TYPE, ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { Clock } from '../kernel/clock.js';
import { toExporterError } from '../kernel/errors.js';
import type { Instrument } from '../pipeline/instrument.js';
import type { ApiCode, ApiOperation } from '../model/labels.js';
import { acknowledgingExporter } from './exporter.js';
import { type OtlpTarget, type OtlpTransport, otlpTransport } from './transport.js';
import { tracesSignal } from './signal.js';

/** A request to a server that has ended. */
export type EndedRequest = Readonly<{ operation: ApiOperation; code: ApiCode; seconds: number }>;

/** Spans of what the exporter itself does: for whoever looks into its behaviour. They may get lost. */
export interface SelfTracing {
  /** A span around each turn of the line of a server. */
  instrument(server: string): Instrument;
  /** A span of a request, a child of the turn that made it. */
  request(server: string, request: EndedRequest): void;
  /** Sends what is left, within two seconds. */
  close(): Promise<void>;
}

/** Another service and scope than those of restore sessions, so that nobody takes one for the other. */
const name = 'vb365-exporter.self';

const closeWithinMs = 2_000;

/** Loads nothing but the SDK: no instrumentation, no detector, no metrics or logs of its own. One at a time. */
export function startSelfTracing(target: OtlpTarget, version: string, clock: Clock): SelfTracing {
  const cut = new AbortController();
  const transport = otlpTransport(target, version, clock);
  const sdk = new NodeSDK({
    autoDetectResources: false,
    resource: ownResource(version),
    spanProcessors: [new BatchSpanProcessor({ exporter: spanExporter(target, transport, cut.signal) })],
    textMapPropagator: null,
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
  });
  sdk.start();
  const tracer = trace.getTracer(name, version);
  return {
    instrument: server => aroundTurn(tracer, server),
    request: (server, request) => {
      traceRequest(tracer, clock.now(), server, request);
    },
    close: async () => {
      const timer = new AbortController();
      const late = clock.sleep(closeWithinMs, timer.signal).then(
        () => cut.abort(),
        () => undefined,
      );
      await sdk.shutdown().catch(() => undefined);
      timer.abort();
      await late;
      await transport.close();
      for (const api of [trace, context, propagation]) api.disable();
    },
  };
}

const ownResource = (version: string): Resource =>
  detectResources({ detectors: [envDetector] }).merge(
    resourceFromAttributes({ [ATTR_SERVICE_NAME]: name, [ATTR_SERVICE_VERSION]: version }),
  );

/** Our own exporter, so that TLS, headers and protocol are those of restore traces. */
function spanExporter({ protocol }: OtlpTarget, transport: OtlpTransport, cut: AbortSignal): SpanExporter {
  const exporter = acknowledgingExporter(tracesSignal, protocol, transport);
  const send = async (spans: readonly ReadableSpan[]): Promise<ExportResult> => {
    try {
      await exporter.export(spans, cut);
      return { code: ExportResultCode.SUCCESS };
    } catch (thrown) {
      return { code: ExportResultCode.FAILED, error: toExporterError(thrown) };
    }
  };
  return {
    export: (spans, done) => void (async () => done(await send(spans)))(),
    shutdown: async () => undefined,
  };
}

const aroundTurn =
  (tracer: Tracer, server: string): Instrument =>
  async (turn, work, failureOf) =>
    tracer.startActiveSpan(`turn ${turn}`, { root: true, attributes: { 'vb365.server': server } }, async span => {
      try {
        const result = await work();
        fail(span, failureOf(result)?.reason);
        return result;
      } finally {
        span.end();
      }
    });

function traceRequest(tracer: Tracer, nowMs: number, server: string, { operation, code, seconds }: EndedRequest): void {
  const span = tracer.startSpan(`request ${operation}`, {
    kind: SpanKind.CLIENT,
    startTime: nowMs - seconds * 1000,
    attributes: { 'vb365.server': server, 'vb365.operation': operation, 'vb365.code': code },
  });
  if (code !== '2xx') fail(span, code);
  span.end(nowMs);
}

function fail(span: Span, type: string | undefined): void {
  if (type === undefined) return;
  span.setAttribute(ATTR_ERROR_TYPE, type).setStatus({ code: SpanStatusCode.ERROR });
}
