import { type Dispatcher, Pool } from 'undici';
import { ExporterError } from '../kernel/errors.js';
import type { Secret } from '../kernel/secret.js';
import { failure, networkFailure } from './failure.js';
import { parseHttpDate, parseRetryAfter } from '../kernel/http-date.js';
import type { Operation, RestSettings, StatusCode } from './options.js';
import { nextSkewMs } from './server-clock.js';

/** One request. With a `form` it is a POST, else a GET. `path` is relative to the base URL and begins without a slash. */
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
  /** How far the server's clock is ahead of ours, in ms; 0 until an answer has told. */
  skewMs(): number;
  /** Cuts what is under way off and closes the connections. */
  close(): Promise<void>;
}

export function transport(settings: RestSettings): Transport {
  const { baseUrl, clock, observe } = settings;
  const pool = openPool(settings);
  const closing = new AbortController();
  let skewMs = 0;

  async function exchange(call: Call, signal: AbortSignal): Promise<Answer> {
    const beganMs = clock.now();
    const sinceMs = clock.monotonic();
    const { statusCode: status, headers, body } = await pool.request({ ...requestOf(call, settings), signal });
    const receivedMs = clock.now();
    const dateMs = parseHttpDate(single(headers['date']));
    // The date of an error may be that of a proxy in between.
    if (dateMs !== undefined && status < 300) skewMs = nextSkewMs(skewMs, { sentMs: beganMs, receivedMs, dateMs });
    const retryAfterMs = parseRetryAfter(single(headers['retry-after']), dateMs ?? receivedMs);
    const text = await readBody(body, call.operation, settings.maxResponseBytes);
    return { status, body: text, retryAfterMs, beganMs, tookMs: clock.monotonic() - sinceMs };
  }

  async function send(call: Call, signal: AbortSignal): Promise<Answer> {
    const stop = AbortSignal.any([signal, closing.signal]);
    const leave = await place(settings, call, stop);
    const sinceMs = clock.monotonic();
    const deadlineMs = settings.requestTimeoutMs + (call.waitMs ?? 0);
    const deadline = AbortSignal.timeout(deadlineMs);
    let code: StatusCode = 'error';
    try {
      const answer = await exchange(call, AbortSignal.any([stop, deadline]));
      code = statusCode(answer.status);
      return answer;
    } catch (thrown) {
      if (thrown instanceof ExporterError) throw thrown;
      if (stop.aborted) throw failure(call.operation, 'aborted', 'stopped');
      if (deadline.aborted) throw failure(call.operation, 'timeout', `no answer in ${String(deadlineMs)} ms`);
      throw networkFailure(thrown, hostOf(baseUrl));
    } finally {
      leave();
      observe(call.operation, code, (clock.monotonic() - sinceMs) / 1000);
    }
  }

  return {
    send,
    skewMs: () => skewMs,
    close: async () => {
      closing.abort();
      await pool.destroy();
    },
  };
}

/** A server that has not answered for so long gets by without its place: it must not keep the others waiting. */
const patienceMs = 10_000;

/** A place at the gate for a request. @throws {ExporterError} `aborted`. */
async function place({ gate }: RestSettings, { operation, waitMs = 0 }: Call, stop: AbortSignal): Promise<() => void> {
  if (waitMs > 0) return () => undefined;
  const leave = await gate.enter(stop).catch(() => {
    throw failure(operation, 'aborted', 'stopped');
  });
  AbortSignal.timeout(patienceMs).addEventListener('abort', leave, { once: true });
  return leave;
}

/** Longer than the interval while a session is open, so that it is polled over one connection; shorter than http.sys waits (120 s). */
const idleConnectionMs = 20_000;

/** The deadline of a whole request is ours; undici's own ones would end a long answer that still flows. */
const openPool = ({ baseUrl, connections, connectTimeoutMs }: RestSettings): Pool =>
  new Pool(baseUrl.origin, {
    connections,
    connect: { timeout: connectTimeoutMs },
    allowH2: false,
    keepAliveTimeout: idleConnectionMs,
    headersTimeout: 0,
    bodyTimeout: 0,
  });

/** The path is put behind the base URL's own; the host is the pool's, so the token goes nowhere else. */
function requestOf({ path, token, form }: Call, { baseUrl, userAgent }: RestSettings): Dispatcher.RequestOptions {
  return {
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

const hostOf = ({ hostname, port, protocol }: URL): string =>
  `${hostname}:${port || (protocol === 'http:' ? '80' : '443')}`;

function statusCode(status: number): StatusCode {
  if (status < 300) return '2xx';
  if (status < 400) return '3xx';
  return status < 500 ? '4xx' : '5xx';
}
