const httpDatePattern = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/;

/** Parses the date format that HTTP servers must write (RFC 9110, 5.6.7) to epoch ms. */
export function parseHttpDate(header: string | undefined): number | undefined {
  if (header === undefined || !httpDatePattern.test(header)) return undefined;
  const at = Date.parse(header);
  return Number.isNaN(at) ? undefined : at;
}

/** A shorter wait would mean a retry at once. */
const shortestWaitMs = 1000;
/** A longer wait, by mistake of the server, must not stop the exporter for days. */
const longestWaitMs = 3_600_000;

/**
 * Parses `Retry-After`, seconds or an HTTP date (RFC 9110, 10.2.3), to milliseconds, limited to 1 s to 1 h. Undefined
 * when it is missing or malformed.
 * @param nowMs now by the clock of the server that wrote the date.
 */
export function parseRetryAfter(header: string | undefined, nowMs: number): number | undefined {
  const waitMs = askedMs(header, nowMs);
  return waitMs === undefined ? undefined : Math.min(Math.max(waitMs, shortestWaitMs), longestWaitMs);
}

function askedMs(header: string | undefined, nowMs: number): number | undefined {
  if (header !== undefined && /^\d{1,15}$/.test(header)) return Number(header) * 1000;
  const at = parseHttpDate(header);
  return at === undefined ? undefined : at - nowMs;
}
