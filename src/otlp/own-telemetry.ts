import { Agent as HttpAgent } from 'node:http';
import { Agent } from 'node:https';
import { context, logs, propagation, type Span, SpanStatusCode, SeverityNumber, trace } from '@opentelemetry/api';
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchLogRecordProcessor } from '@opentelemetry/sdk-logs';
import { NodeSDK } from '@opentelemetry/sdk-node';
import { BatchSpanProcessor } from '@opentelemetry/sdk-trace';
import { ATTR_ERROR_TYPE, ATTR_SERVICE_NAME, ATTR_SERVICE_VERSION } from '@opentelemetry/semantic-conventions';
import type { OtlpTarget, OwnTelemetryConfig } from '../config/otlp.js';
import type { Clock } from '../kernel/clock.js';
import type { ExporterError } from '../kernel/errors.js';
import { type Log, type LogFields, tee } from '../kernel/log.js';
import type { SinkName } from '../pipeline/ports.js';
import type { DeliveryReport } from '../pipeline/delivery-report.js';
import { readTls } from './tls.js';

/** A poll that has ended: the part of a discovery report that a span shows. */
type EndedPoll = Readonly<{ result: string; error: ExporterError | undefined; seconds: number; listed: number }>;

/** Spans of polls and deliveries; part of a `ServerObserver`. */
interface OwnObserver {
  discovered(poll: EndedPoll): void;
  delivered(sink: SinkName, report: DeliveryReport, seconds: number): void;
}

/** Telemetry of the exporter itself, through the stock SDK. It is best effort: what cannot be sent is lost. */
export interface OwnTelemetry {
  observer(server: string): OwnObserver;
  /** A log whose lines are also sent over OTLP. */
  log(log: Log): Log;
  /** Sends the rest, within two seconds. */
  close(): Promise<void>;
}

/** Service and scope, different from those of restore telemetry. */
const name = 'vb365-exporter.self';

/** For one request, and for closing. */
const timeoutMs = 2_000;

const severityNumbers = {
  debug: SeverityNumber.DEBUG,
  info: SeverityNumber.INFO,
  warn: SeverityNumber.WARN,
  error: SeverityNumber.ERROR,
} as const;

/** Registers the SDK globally, so there can be only one at a time. */
export function startOwnTelemetry(config: OwnTelemetryConfig, version: string, clock: Clock): OwnTelemetry {
  const sdk = startSdk(config, version);
  const tracer = trace.getTracer(name, version);
  const logger = logs.getLogger(name, version);
  /** Starts a span that ended just now. */
  const ended = (what: string, seconds: number, attributes: Record<string, string | number>): Span =>
    tracer.startSpan(what, { root: true, startTime: clock.now() - seconds * 1000, attributes });
  return {
    observer: server => ({
      discovered: ({ result, error, seconds, listed }) => {
        const attributes = { 'vb365.server': server, 'vb365.result': result, 'vb365.sessions': listed };
        fail(ended('poll', seconds, attributes), error).end(clock.now());
      },
      delivered: (sink, { taken, errors }, seconds) => {
        if (taken === 0 && errors.length === 0) return;
        const attributes = { 'vb365.server': server, 'vb365.sink': sink, 'vb365.events': taken };
        fail(ended('delivery', seconds, attributes), errors[0]).end(clock.now());
      },
    }),
    log: log =>
      tee(log, ({ level, message, fields }) => {
        logger.emit({
          severityNumber: severityNumbers[level],
          severityText: level.toUpperCase(),
          body: message,
          attributes: inNamespace(fields),
        });
      }),
    close: async () => {
      const timer = new AbortController();
      const late = clock.sleep(timeoutMs, timer.signal).catch(() => undefined);
      await Promise.race([sdk.shutdown().catch(() => undefined), late]);
      timer.abort();
      for (const api of [trace, logs, context, propagation]) api.disable();
    },
  };
}

/** Attribute names as in spans: `vb365.server`. */
const inNamespace = (fields: LogFields): LogFields =>
  Object.fromEntries(Object.entries(fields).map(([key, value]) => [`vb365.${key}`, value]));

/** Loads nothing but traces and logs: no instrumentation, no resource detector, no metrics. */
function startSdk({ traces, logs: logsTarget }: OwnTelemetryConfig, version: string): NodeSDK {
  const resource = resourceFromAttributes({ [ATTR_SERVICE_NAME]: name, [ATTR_SERVICE_VERSION]: version });
  const sdk = new NodeSDK({
    autoDetectResources: false,
    resource: detectResources({ detectors: [envDetector] }).merge(resource),
    spanProcessors:
      traces === undefined ? [] : [new BatchSpanProcessor({ exporter: new OTLPTraceExporter(optionsOf(traces)) })],
    logRecordProcessors:
      logsTarget === undefined
        ? []
        : [new BatchLogRecordProcessor({ exporter: new OTLPLogExporter(optionsOf(logsTarget)) })],
    textMapPropagator: null,
    metricReaders: [],
    instrumentations: [],
  });
  sdk.start();
  return sdk;
}

/** TLS files are read when the first connection is opened. */
const optionsOf = ({ url, headers, tls, proxy }: OtlpTarget) => ({
  url: url.href,
  headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, value.reveal()])),
  timeoutMillis: timeoutMs,
  httpAgentOptions: async () =>
    url.protocol === 'https:'
      ? new Agent({ ...readTls(tls), keepAlive: true, proxyEnv: { HTTPS_PROXY: proxy?.url.reveal() } })
      : new HttpAgent({ keepAlive: true, proxyEnv: { HTTP_PROXY: proxy?.url.reveal() } }),
});

const fail = (span: Span, error: ExporterError | undefined): Span =>
  error === undefined
    ? span
    : span.setAttribute(ATTR_ERROR_TYPE, error.reason).setStatus({ code: SpanStatusCode.ERROR });
