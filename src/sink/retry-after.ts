const floorMs = 1000;
const ceilingMs = 3_600_000;

/**
 * How long an answer asks us to wait, from its `Retry-After`: seconds, or a date (RFC 9110, 10.2.3). Malformed is
 * absent. At least 1 s, as a 0 would make us hammer; at most 1 h, as a slip of the other side must not silence us.
 * @param nowMs wall-clock time, in milliseconds since the epoch.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  const waitMs = header === undefined ? NaN : parsed(header.trim(), nowMs);
  return Number.isNaN(waitMs) ? undefined : Math.min(Math.max(waitMs, floorMs), ceilingMs);
}

/** NaN for what is neither. Every form of an HTTP date begins with the name of a day. */
function parsed(text: string, nowMs: number): number {
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  return /^[a-z]{3,9},? /i.test(text) ? Date.parse(text) - nowMs : NaN;
}
