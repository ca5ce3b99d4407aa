import { type SpanContext, TraceFlags } from '@opentelemetry/api';

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The 32 hexadecimal digits of a GUID; undefined for any other text. */
function digitsOf(text: string): string | undefined {
  return guid.test(text) ? text.replaceAll('-', '').toLowerCase() : undefined;
}

/** The trace id of a restore session: its GUID. Undefined for other texts, and for all zeros, which OpenTelemetry forbids. */
export function traceIdOf(sessionId: string): string | undefined {
  const digits = digitsOf(sessionId);
  return digits === undefined || /^0+$/.test(digits) ? undefined : digits;
}

/**
 * The span id of an event, 16 hexadecimal digits: the two halves of its GUID, xor. The constant bits of a version 4 GUID
 * are at different places in its halves, so all 64 bits are random. Undefined unless it is a GUID; never zero.
 */
export function spanIdOf(eventId: string): string | undefined {
  const digits = digitsOf(eventId);
  if (digits === undefined) return undefined;
  // Bytes, because `bigint` takes twice as long.
  const bytes = Buffer.from(digits, 'hex');
  for (let at = 0; at < 8; at += 1) bytes[at] = (bytes[at] ?? 0) ^ (bytes[at + 8] ?? 0);
  const folded = bytes.toString('hex', 0, 8);
  return folded === '0000000000000000' ? '0000000000000001' : folded;
}

/**
 * The span of an event in the trace of its session; the session's own id gives the root span. Undefined unless both are
 * GUIDs. The ids derive from the server's, so that a repeated delivery is the same span.
 */
export const spanContextOf = (sessionId: string, eventId: string): SpanContext | undefined =>
  spanContextIn(traceIdOf(sessionId), eventId);

/** The same for a trace id of `traceIdOf`. */
export function spanContextIn(traceId: string | undefined, eventId: string): SpanContext | undefined {
  const spanId = spanIdOf(eventId);
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
}
