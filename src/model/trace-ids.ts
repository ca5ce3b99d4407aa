import { type SpanContext, TraceFlags } from '@opentelemetry/api';

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The 32 hexadecimal digits of a GUID; undefined when the text is none. */
const digitsOf = (text: string): string | undefined =>
  guid.test(text) ? text.replaceAll('-', '').toLowerCase() : undefined;

/** The trace of a restore session: its GUID. Undefined if it is not a GUID, and for the zero GUID, which OpenTelemetry forbids. */
export function traceIdOf(sessionId: string): string | undefined {
  const digits = digitsOf(sessionId);
  return digits === undefined || /^0+$/.test(digits) ? undefined : digits;
}

/**
 * The span of an event, 16 hexadecimal digits: the two halves of its GUID, xor. The constant bits of a version 4 GUID
 * lie at different places in its halves, so all 64 bits stay random. Undefined if it is not a GUID; never zero.
 */
export function spanIdOf(eventId: string): string | undefined {
  const digits = digitsOf(eventId);
  if (digits === undefined) return undefined;
  // Bytes, because whole numbers of 64 bits take twice as long.
  const bytes = Buffer.from(digits, 'hex');
  for (let at = 0; at < 8; at += 1) bytes[at] = (bytes[at] ?? 0) ^ (bytes[at + 8] ?? 0);
  const folded = bytes.toString('hex', 0, 8);
  return folded === '0000000000000000' ? '0000000000000001' : folded;
}

/**
 * Where an event of a session is in its trace; the session's own id stands for the root. Undefined if one is not a GUID.
 * The ids come from the server's, so that a repetition is the same span.
 */
export function spanContextOf(sessionId: string, eventId: string): SpanContext | undefined {
  const traceId = traceIdOf(sessionId);
  const spanId = spanIdOf(eventId);
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
}
