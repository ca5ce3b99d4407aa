import type { TLSSocket } from 'node:tls';
import type { Dispatcher } from 'undici';
import { ExporterError } from '../kernel/errors.js';
import type { Secret } from '../kernel/secret.js';
import { connections, hostOf } from './dispatcher.js';
import { failure, networkFailure } from './failure.js';
import { parseHttpDate, parseRetryAfter } from '../kernel/http-date.js';
import type { Operation, RestSettings, StatusCode } from './options.js';
import { chainOf, distrustOf } from './peer.js';
import { nextSkewMs } from './server-clock.js';

/** One request. With a `form`, be it an empty one, it is a POST, else a GET. `path` is relative to the base URL and begins without a slash. */
export type Call = Readonly<{
  operation: Operation;
  path: string;
  token?: Secret;
  form?: Readonly<Record<string, string>>;
  /** How long the server may wait before it answers, in ms: added to the deadline. Such a request needs no place at the gate. */
  waitMs?: number;
}>;

/** An answer of any status, read to its end. */
export type Answer = Readonly<{
  status: number;
  body: string;
  retryAfterMs: number | undefined;
  /** Our clock when the request was begun, epoch ms. */
  beganMs: number;
  /** From sending the request to the last byte of the answer. */
  tookMs: number;
}>;

/** Speaks HTTP with one server over a few kept-alive connections. Repeats nothing and follows no redirect. */
export interface Transport {
  /** @throws {ExporterError} `aborted`, `decode` (too long, or no HTTP), `network` or `timeout`. */
  send(call: Call, signal: AbortSignal): Promise<Answer>;
  /** How far the server's clock is ahead of ours, in ms; undefined until an answer has told. */
  skewMs(): number | undefined;
  /** When the server's own certificate ends, trusted or not, epoch ms; undefined until it has shown one. */
  certificateExpiresAtMs(): number | undefined;
  /** Cuts what is under way off, sends a last request for a short time, whatever comes of it, and closes the connections. */
  close(last?: Call): Promise<void>;
}

/** How long the last request may hold up a stop. */
const farewellMs = 2_000;

export function transport(settings: RestSettings): Transport {
  const { clock, observe } = settings;
  const closing = new AbortController();
  let skewMs: number | undefined;
  const certificate = watchCertificate(settings);
  const pool = connections({ ...settings, refusal: certificate.refusal });

  async function exchange(call: Call, signal: AbortSignal): Promise<Answer> {
    const beganMs = clock.now();
    const dispatcher = await pool.fresh();
    const sinceMs = clock.monotonic();
    const { statusCode: status, headers, body } = await dispatcher.request({ ...requestOf(call, settings), signal });
    const receivedMs = clock.now();
    const dateMs = parseHttpDate(single(headers['date']));
    // The date of an error may be that of a proxy in between.
    if (dateMs !== undefined && status < 300) skewMs = nextSkewMs(skewMs ?? 0, { sentMs: beganMs, receivedMs, dateMs });
    const retryAfterMs = parseRetryAfter(single(headers['retry-after']), dateMs ?? receivedMs);
    const text = await readBody(body, call.operation, settings.maxResponseBytes);
    return { status, body: text, retryAfterMs, beganMs, tookMs: clock.monotonic() - sinceMs };
  }

  /** Observed; ended by `stop` or the deadline. */
  async function attempt(call: Call, stop: AbortSignal, limitMs?: number): Promise<Answer> {
    const timeoutMs = limitMs ?? settings.requestTimeoutMs + (call.waitMs ?? 0);
    const leave = await place(settings, call, stop);
    const sinceMs = clock.monotonic();
    const deadline = AbortSignal.timeout(timeoutMs);
    let code: StatusCode = 'error';
    try {
      const answer = await exchange(call, AbortSignal.any([stop, deadline]));
      code = statusCode(answer.status);
      return answer;
    } catch (thrown) {
      const late = deadline.aborted ? timeoutMs : undefined;
      throw failedExchange(thrown, settings, { operation: call.operation, stopped: stop.aborted, late });
    } finally {
      leave();
      observe(call.operation, code, (clock.monotonic() - sinceMs) / 1000);
    }
  }

  return {
    send: async (call, signal) => attempt(call, AbortSignal.any([signal, closing.signal])),
    skewMs: () => skewMs,
    certificateExpiresAtMs: certificate.expiresAtMs,
    close: async last => {
      closing.abort();
      if (last !== undefined) await attempt(last, new AbortController().signal, farewellMs).catch(() => undefined);
      await pool.destroy();
    },
  };
}

/** Judges the certificates that are shown, and keeps when the last one ends. */
function watchCertificate({ trust }: RestSettings) {
  let expiresAtMs: number | undefined;
  return {
    refusal: (socket: TLSSocket): string | undefined => {
      expiresAtMs = chainOf(socket)[0]?.validToMs;
      return distrustOf(socket, trust);
    },
    expiresAtMs: () => expiresAtMs,
  };
}

type Circumstances = Readonly<{
  operation: Operation;
  stopped: boolean;
  /** The deadline in ms, if that was it. */ late: number | undefined;
}>;

function failedExchange(
  thrown: unknown,
  { baseUrl, proxy }: RestSettings,
  { operation, stopped, late }: Circumstances,
): ExporterError {
  if (thrown instanceof ExporterError) return thrown;
  if (stopped) return failure(operation, 'aborted', 'stopped');
  if (late !== undefined) return failure(operation, 'timeout', `no answer in ${String(late)} ms`);
  return networkFailure(thrown, { host: hostOf(baseUrl), proxied: proxy !== undefined });
}

/**
 * A place at the gate for a request. A server that does not answer gets by without it after a while: it must not keep
 * the others waiting. @throws {ExporterError} `aborted`.
 */
async function place(
  { gate, placeMs }: RestSettings,
  { operation, waitMs = 0 }: Call,
  stop: AbortSignal,
): Promise<() => void> {
  if (waitMs > 0) return () => undefined;
  const leave = await gate.enter(stop).catch(() => {
    throw failure(operation, 'aborted', 'stopped');
  });
  AbortSignal.timeout(placeMs).addEventListener('abort', leave, { once: true });
  return leave;
}

/** The path is put behind the base URL's own; the origin is the server's, so the token goes nowhere else. */
function requestOf({ path, token, form }: Call, { baseUrl, userAgent }: RestSettings): Dispatcher.RequestOptions {
  return {
    origin: baseUrl.origin,
    path: `${baseUrl.pathname.replace(/\/$/, '')}/${path}`,
    method: form === undefined ? 'GET' : 'POST',
    headers: {
      accept: 'application/json',
      'user-agent': userAgent,
      ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
    },
    body: form === undefined ? null : new URLSearchParams(form).toString(),
  };
}

async function readBody(body: AsyncIterable<Buffer>, operation: Operation, maxBytes: number): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > maxBytes) throw failure(operation, 'decode', `the answer is longer than ${String(maxBytes)} bytes`);
    chunks.push(chunk);
  }
  return new TextDecoder().decode(Buffer.concat(chunks));
}

const single = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined;

function statusCode(status: number): StatusCode {
  if (status < 300) return '2xx';
  if (status < 400) return '3xx';
  return status < 500 ? '4xx' : '5xx';
}
