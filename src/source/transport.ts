import type { TLSSocket } from 'node:tls';
import { type Dispatcher, errors } from 'undici';
import { alarm } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import type { Secret } from '../kernel/secret.js';
import { type LinkedAbort, linkAbort, unlessAborted } from '../kernel/linked-abort.js';
import { connections, hostOf } from './dispatcher.js';
import { failure, networkFailure } from './request-errors.js';
import { parseHttpDate, parseRetryAfter } from '../kernel/retry-after.js';
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
  /** What was kept of it. */
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
  const { clock } = settings;
  const closing = new AbortController();
  let skewMs: number | undefined;
  const certificate = watchCertificate(settings);
  const pool = connections({ ...settings, refusal: certificate.refusal });

  async function exchange(call: Call, signal: AbortSignal): Promise<Answer> {
    const beganMs = clock.now();
    const dispatcher = await pool.fresh();
    const sinceMs = clock.monotonic();
    const request = dispatcher.request({ ...requestOf(call, settings), signal });
    const { statusCode: status, headers, body } = await unlessAborted(request, signal);
    const receivedMs = clock.now();
    const dateMs = parseHttpDate(single(headers['date']));
    // The date of an error may be that of a proxy in between.
    if (dateMs !== undefined && status < 300) skewMs = nextSkewMs(skewMs ?? 0, { sentMs: beganMs, receivedMs, dateMs });
    const retryAfterMs = parseRetryAfter(single(headers['retry-after']), dateMs ?? receivedMs);
    return { status, body: await body.text(), retryAfterMs, beganMs, tookMs: clock.monotonic() - sinceMs };
  }

  const attempt = bounded(settings, exchange);
  return {
    send: async (call, signal) => attempt(call, [signal, closing.signal]),
    skewMs: () => skewMs,
    certificateExpiresAtMs: certificate.expiresAtMs,
    close: async last => {
      closing.abort();
      if (last !== undefined) await attempt(last, [], farewellMs).catch(() => undefined);
      await pool.destroy();
    },
  };
}

/** Bounds an exchange: by a place at the gate, a deadline, and any of `stops`. Each is observed. */
function bounded(settings: RestSettings, exchange: (call: Call, signal: AbortSignal) => Promise<Answer>) {
  const { clock, observe } = settings;

  async function timed(call: Call, stop: LinkedAbort, timeoutMs: number): Promise<Answer> {
    const sinceMs = clock.monotonic();
    let late: number | undefined;
    let code: StatusCode = 'error';
    const callOff = alarm(timeoutMs, () => {
      if (!stop.signal.aborted) late = timeoutMs;
      stop.now();
    });
    try {
      const answer = await exchange(call, stop.signal);
      code = statusCode(answer.status);
      return answer;
    } catch (thrown) {
      throw failedExchange(thrown, settings, { operation: call.operation, stopped: stop.signal.aborted, late });
    } finally {
      callOff();
      observe(call.operation, code, (clock.monotonic() - sinceMs) / 1000);
    }
  }

  return async (call: Call, stops: readonly AbortSignal[], limitMs?: number): Promise<Answer> => {
    const stop = linkAbort(stops);
    try {
      const leave = await place(settings, call, stop.signal);
      // A server that does not answer gets by without its place after a while: it must not keep the others waiting.
      const giveBack = alarm(settings.placeMs, leave);
      return await timed(call, stop, limitMs ?? settings.requestTimeoutMs + (call.waitMs ?? 0)).finally(() => {
        giveBack();
        leave();
      });
    } finally {
      stop.release();
    }
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
  { baseUrl, proxy, maxResponseBytes }: RestSettings,
  { operation, stopped, late }: Circumstances,
): ExporterError {
  if (thrown instanceof ExporterError) return thrown;
  if (late !== undefined) return failure(operation, 'timeout', `no answer in ${String(late)} ms`);
  if (stopped) return failure(operation, 'aborted', 'stopped');
  if (thrown instanceof errors.ResponseExceededMaxSizeError)
    return failure(operation, 'decode', `the answer is longer than ${String(maxResponseBytes)} bytes`);
  return networkFailure(thrown, { host: hostOf(baseUrl), proxied: proxy !== undefined });
}

/** A place at the gate for a request. @throws {ExporterError} `aborted`. */
async function place(
  { semaphore }: RestSettings,
  { operation, waitMs = 0 }: Call,
  stop: AbortSignal,
): Promise<() => void> {
  if (waitMs > 0) return () => undefined;
  return semaphore.acquire(stop).catch(() => {
    throw failure(operation, 'aborted', 'stopped');
  });
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

const single = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined;

function statusCode(status: number): StatusCode {
  if (status < 300) return '2xx';
  if (status < 400) return '3xx';
  return status < 500 ? '4xx' : '5xx';
}
