import { type SpanContext, TraceFlags } from '@opentelemetry/api';

const guid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

/** The 32 hexadecimal digits of a GUID; undefined when the text is none. */
function digitsOf(text: string): string | undefined {
  return guid.test(text) ? text.replaceAll('-', '').toLowerCase() : undefined;
}

/** The trace of a restore session: its GUID. Undefined for what is no GUID, and for the one that OpenTelemetry forbids. */
export function traceIdOf(sessionId: string): string | undefined {
  const digits = digitsOf(sessionId);
  return digits === undefined || /^0+$/.test(digits) ? undefined : digits;
}

/**
 * The span of an event, 16 hexadecimal digits: the two halves of its GUID, xor. The constant bits of a version 4 GUID
 * lie at different places in its halves, so all 64 bits stay random. Undefined for what is no GUID; never zero.
 */
export function spanIdOf(eventId: string): string | undefined {
  const digits = digitsOf(eventId);
  if (digits === undefined) return undefined;
  const folded = BigInt(`0x${digits.slice(0, 16)}`) ^ BigInt(`0x${digits.slice(16)}`);
  return (folded === 0n ? 1n : folded).toString(16).padStart(16, '0');
}

/**
 * Where an event of a session is in its trace; the session's own id stands for the root. Undefined when one is no GUID.
 * The ids come from the server's, so that a repetition is the same span.
 */
export function spanContextOf(sessionId: string, eventId: string): SpanContext | undefined {
  const traceId = traceIdOf(sessionId);
  const spanId = spanIdOf(eventId);
  if (traceId === undefined || spanId === undefined) return undefined;
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED };
}
