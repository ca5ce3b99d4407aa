import type { TLSSocket } from 'node:tls';
import type { Dispatcher } from 'undici';
import { hostOf } from '../config/proxy.js';
import { alarm, nextTurn } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { linkAbort } from '../kernel/linked-abort.js';
import { parseHttpDate, parseRetryAfter } from '../kernel/retry-after.js';
import type { Secret } from '../kernel/secret.js';
import type { ApiCode, ApiOperation } from '../model/labels.js';
import { type ConnectionPool, createConnectionPool } from './dispatcher.js';
import type { RestSettings } from './options.js';
import { type Received, receive } from './receive.js';
import { failure, isClosedIdle, networkFailure, unusable } from './request-errors.js';
import { chainOf, distrustOf } from './trust.js';

/** One request: a POST with a `form`, even an empty one, else a GET. `path` is relative to the base URL, without a slash in front. */
export type Call = Readonly<{
  operation: ApiOperation;
  path: string;
  token?: Secret;
  form?: Readonly<Record<string, string>>;
  /** How many rows the answer may have; its limits follow from it. */
  rows?: number;
  /** How long the server may hold a long poll, in ms: extends the deadline. A long poll does not use the semaphore. */
  waitMs?: number | undefined;
}>;

/** A complete response of any status. */
export type Answer = Readonly<{
  status: number;
  body: string;
  retryAfterMs: number | undefined;
  /** Our clock when the request began, epoch ms. */
  beganMs: number;
  /** From sending the request to the last byte of the response. */
  tookMs: number;
}>;

/** Speaks HTTP with one server over a few kept-alive connections. Neither retries nor follows redirects. */
export interface Transport {
  /** @throws {ExporterError} `aborted`, `decode` (too long, or not HTTP), `network` or `timeout`. */
  send(call: Call, signal: AbortSignal): Promise<Answer>;
  /** Server clock minus our clock in ms; undefined before the first response with a `Date`. */
  skewMs(): number | undefined;
  /** When the server's certificate expires, trusted or not, epoch ms; undefined before the first handshake. */
  certificateExpiresAtMs(): number | undefined;
  /** Aborts the requests in flight, sends `last` with a short deadline, ignores its outcome, and closes the connections. */
  close(last?: Call): Promise<void>;
}

/** Deadline of the last request. */
const lastRequestMs = 2_000;

export function createTransport(settings: RestSettings): Transport {
  const { clock, trust } = settings;
  const closing = new AbortController();
  let skewMs: number | undefined;
  let certificateExpiresAtMs: number | undefined;
  const refusal = (socket: TLSSocket): string | undefined => {
    certificateExpiresAtMs = chainOf(socket)[0]?.validToMs;
    return distrustOf(socket, trust);
  };
  const pool = createConnectionPool({ ...settings, refusal });
  /** Each answer is used in its own turn of the event loop: several long ones in one turn would block it. */
  let turn = Promise.resolve();

  async function exchange(call: Call, signal: AbortSignal): Promise<Answer> {
    const beganMs = clock.now();
    const sinceMs = clock.monotonic();
    const limits = settings.answerLimits(call.rows ?? 1);
    const options = { signal, clock, limits, budget: settings.answerBudget };
    const request = requestOf(call, settings);
    const { status, headers, receivedMs, body } = await receiveOnce(pool, request.method, async (via, onHeaders) =>
      receive(via, request, { ...options, onHeaders }),
    );
    turn = turn.then(nextTurn);
    await turn;
    const dateMs = parseHttpDate(single(headers['date']));
    // The date of an error may be that of a proxy.
    if (dateMs !== undefined && status < 300) skewMs = nextSkewMs(skewMs ?? 0, { sentMs: beganMs, receivedMs, dateMs });
    const retryAfterMs = parseRetryAfter(single(headers['retry-after']), dateMs ?? receivedMs);
    return { status, body, retryAfterMs, beganMs, tookMs: clock.monotonic() - sinceMs };
  }

  const attempt = bounded(settings, exchange);
  return {
    send: async (call, signal) => attempt(call, [signal, closing.signal]),
    skewMs: () => skewMs,
    certificateExpiresAtMs: () => certificateExpiresAtMs,
    close: async last => {
      closing.abort();
      if (last !== undefined) await attempt(last, [], lastRequestMs).catch(() => undefined);
      await pool.destroy();
    },
  };
}

/**
 * A load balancer may close an idle connection in the moment in which it is used again. A GET that ends so, before a byte
 * of its answer, is sent once more on a new connection (RFC 9112, 9.3.1).
 */
async function receiveOnce(
  pool: ConnectionPool,
  method: Dispatcher.HttpMethod,
  attempt: (dispatcher: Dispatcher, onHeaders: () => void) => Promise<Received>,
): Promise<Received> {
  const dispatcher = await pool.dispatcher();
  const opened = pool.opened();
  let answered = false;
  const onHeaders = (): void => void (answered = true);
  try {
    return await attempt(dispatcher, onHeaders);
  } catch (thrown) {
    if (method !== 'GET' || answered || !isClosedIdle(thrown, pool.opened() === opened)) throw thrown;
    return pool.withNewConnection(async fresh => attempt(fresh, onHeaders));
  }
}

/** Adds the semaphore, the deadline and the abort signals to an exchange, and observes it. */
function bounded(settings: RestSettings, exchange: (call: Call, signal: AbortSignal) => Promise<Answer>) {
  const { clock, observe } = settings;
  const watch = lateLog(settings);

  async function timed(call: Call, abort: AbortController, timeoutMs: number): Promise<Answer> {
    const sinceMs = clock.monotonic();
    let code: ApiCode = 'error';
    const late = (): ExporterError => failure(call.operation, 'timeout', `no answer in ${String(timeoutMs)} ms`);
    const cancel = alarm(timeoutMs, () => abort.abort(late()));
    const unwatch = watch(call);
    try {
      const answer = await exchange(call, abort.signal);
      unwatch('answered');
      code = codeOf(answer.status);
      return answer;
    } catch (thrown) {
      throw exchangeFailure(thrown, settings, call.operation, abort.signal);
    } finally {
      cancel();
      unwatch();
      observe(call.operation, code, (clock.monotonic() - sinceMs) / 1000);
    }
  }

  return async (call: Call, signals: readonly AbortSignal[], limitMs?: number): Promise<Answer> => {
    const abort = new AbortController();
    const unlink = linkAbort(abort, signals);
    try {
      const release = await acquire(settings, call, abort.signal);
      // A server that does not answer must not block the others: after a while its request goes on without the semaphore.
      const cancel = alarm(call.operation === 'owners' ? settings.ownerWaitMs : settings.semaphoreHoldMs, release);
      return await timed(call, abort, limitMs ?? settings.requestTimeoutMs + (call.waitMs ?? 0)).finally(() => {
        cancel();
        release();
      });
    } finally {
      unlink();
    }
  };
}

/** Operations that a whole server waits for. A session without an answer is reported by those who read it. */
const sharedOperations: ReadonlySet<ApiOperation> = new Set(['probe', 'token', 'sessions']);
/** How often a request that is never answered is logged. */
const lateAgainMs = 3_600_000;

/** Logs which request waits: once, and then after an answer or an hour. */
function lateLog({ clock, log, lateLogMs }: RestSettings) {
  const loggedMs = new Map<ApiOperation, number>();
  return ({ operation }: Call) => {
    const late = (): void => {
      if (clock.monotonic() - (loggedMs.get(operation) ?? -Infinity) < lateAgainMs) return;
      loggedMs.set(operation, clock.monotonic());
      log.warn('No response from the server after 10 s', { side: 'source', operation });
    };
    const cancel = sharedOperations.has(operation) ? alarm(lateLogMs, late) : () => undefined;
    return (outcome?: 'answered'): void => {
      cancel();
      if (outcome === 'answered') loggedMs.delete(operation);
    };
  };
}

/** @throws {ExporterError} `aborted`. */
async function acquire({ semaphore }: RestSettings, call: Call, signal: AbortSignal): Promise<() => void> {
  if (call.waitMs !== undefined && call.waitMs > 0) return () => undefined;
  return semaphore.acquire(signal).catch(() => {
    throw failure(call.operation, 'aborted', 'stopped');
  });
}

/** A deadline that has passed is the reason of the signal. */
function exchangeFailure(thrown: unknown, settings: RestSettings, operation: ApiOperation, signal: AbortSignal) {
  if (thrown instanceof ExporterError) return thrown;
  if (signal.aborted && signal.reason instanceof ExporterError) return signal.reason;
  if (signal.aborted) return failure(operation, 'aborted', 'stopped');
  const words = unusable(thrown);
  if (words !== undefined) return failure(operation, 'decode', words);
  return networkFailure(thrown, { host: hostOf(settings.baseUrl), proxy: settings.proxy });
}

/** Keeps the path of the base URL. The origin is always the server's, so the token goes nowhere else. */
function requestOf({ path, token, form }: Call, { baseUrl, userAgent }: RestSettings): Dispatcher.DispatchOptions {
  return {
    origin: baseUrl.origin,
    path: `${baseUrl.pathname.replace(/\/$/, '')}/${path}`,
    method: form === undefined ? 'GET' : 'POST',
    headers: {
      accept: 'application/json',
      'accept-encoding': 'gzip, deflate, br',
      'user-agent': userAgent,
      ...(form === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token.reveal()}` }),
    },
    body: form === undefined ? null : new URLSearchParams(form).toString(),
  };
}

const single = (header: string | string[] | undefined): string | undefined =>
  typeof header === 'string' ? header : undefined;

function codeOf(status: number): ApiCode {
  if (status < 300) return '2xx';
  if (status < 400) return '3xx';
  return status < 500 ? '4xx' : '5xx';
}

/** When a request was sent and its headers arrived by our clock, and the server's `Date`. Epoch ms. */
type DatedAnswer = Readonly<{ sentMs: number; receivedMs: number; dateMs: number }>;

/** Smaller differences count as none: a `Date` has a resolution of 1 s and may be written a little early. */
const toleranceMs = 2000;

/**
 * The skew of the server's clock in ms after one more response. The server wrote its `Date`, cut to the second, at an
 * unknown moment of the request, which gives a range. The skew so far stays when it lies in the range, so that slow
 * responses do no harm; otherwise it becomes the middle of the range.
 */
export function nextSkewMs(skewMs: number, { sentMs, receivedMs, dateMs }: DatedAnswer): number {
  const least = dateMs - receivedMs;
  const most = dateMs + 1000 - sentMs;
  if (skewMs >= least && skewMs <= most) return skewMs;
  const middle = (least + most) / 2;
  return Math.abs(middle) <= toleranceMs ? 0 : middle;
}
