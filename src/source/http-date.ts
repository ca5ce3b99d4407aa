const httpDatePattern = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** Reads the one date format that HTTP lets servers write (RFC 9110, 5.6.7), as epoch milliseconds. */
export function parseHttpDate(header: string | undefined): number | undefined {
  if (header === undefined || !httpDatePattern.test(header)) return undefined;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : at;
}

/** Shortest wait we take from a server: one that asks for less would be asked again at once. */
const shortestWaitMs = 1000;

/**
 * Reads `Retry-After`: seconds or an HTTP date. Undefined when it is left out or malformed, never less than 1 s.
 * @param nowMs now by the clock of whoever wrote the date.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\d{1,9}$/.test(header)) return Math.max(shortestWaitMs, Number(header) * 1000);
  const at = parseHttpDate(header);
  return at === undefined ? undefined : Math.max(shortestWaitMs, at - nowMs);
}
