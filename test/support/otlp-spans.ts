import type { OtlpReceiver, Received } from './otlp-receiver.js';

/** A span in OTLP/JSON, as far as tests look at it. */
export type OtlpSpan = Readonly<{
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  name: string;
  startTimeUnixNano: string;
  endTimeUnixNano: string;
  status: Readonly<{ code: number; message?: string }>;
  attributes: readonly Readonly<{ key: string; value: Readonly<Record<string, unknown>> }>[];
}>;

type OtlpTraces = Readonly<{
  resourceSpans: readonly Readonly<{ scopeSpans: readonly Readonly<{ spans: readonly OtlpSpan[] }>[] }>[];
}>;

/** The spans of an OTLP/JSON request. */
export const spansOf = ({ body }: Pick<Received, 'body'>): readonly OtlpSpan[] =>
  (JSON.parse(body.toString()) as OtlpTraces).resourceSpans.flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans),
  );

/** The spans of all requests to `/v1/traces`, accepted or not. */
export const otlpSpans = ({ requests }: OtlpReceiver): readonly OtlpSpan[] =>
  requests.filter(({ url }) => url === '/v1/traces').flatMap(spansOf);
