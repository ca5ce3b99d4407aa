import { promisify } from 'node:util';
import { gzip } from 'node:zlib';
import { Agent, type Dispatcher, Pool, ProxyAgent, request } from 'undici';
import type { OtlpTarget } from '../config/otlp.js';
import { type ProxyConfig, proxyName } from '../config/proxy.js';
import type { Clock } from '../kernel/clock.js';
import { ExporterError, type Reason } from '../kernel/errors.js';
import { certificateFaults, errorCode, networkWords, proxyFault } from '../kernel/network-error.js';
import { parseRetryAfter } from '../kernel/retry-after.js';
import { quoteAnswer, type RefusalBody } from './receiver-answer.js';
import { connectorOf, readTls } from './tls.js';

/** Sends encoded requests to one OTLP endpoint. */
export interface OtlpTransport {
  /**
   * Sends once, without retries. Resolves with the body of the answer when the receiver has accepted the request, and
   * with undefined when the rest of that answer could not be read.
   * @param values everything that `data` says, which is removed from a quoted answer. Called only for a refusal.
   * @throws {ExporterError} `aborted`, `auth`, `network`, `rejected`, `server`, `throttled` or `timeout`: not accepted,
   * or not known to be. The detail `answer` is what the receiver said.
   */
  send(data: Uint8Array, signal: AbortSignal, values?: () => readonly string[]): Promise<Uint8Array | undefined>;
  /** A text of an answer without what was sent: `values` and secrets. */
  quote(text: string, values: readonly string[]): string;
  /** Closes idle connections and fails open requests. */
  close(): Promise<void>;
}

/** Bytes of an answer. Source: OTLP specification 1.11, "OTLP/HTTP Response": 4 MiB. */
const maxResponseSize = 4 * 1024 * 1024;

/** Bytes of a refusal that are read: enough to quote it. A longer one costs the connection. */
const maxRefusalSize = 16 * 1024;

const compress = promisify(gzip);

/** @param version of the exporter, for `User-Agent`. */
export function otlpTransport(target: OtlpTarget, version: string, clock: Clock): OtlpTransport {
  const dispatchers = dispatchersTo(target);
  const headers = requestHeaders(target, version);
  return {
    send: async (data, signal, values = () => []) => {
      const deadline = AbortSignal.timeout(target.timeoutMs);
      // Level 1 takes half the time of the default level for about 15 % more bytes.
      const body = target.compression === 'gzip' ? await compress(data, { level: 1 }) : data;
      const options = {
        dispatcher: dispatchers.current(),
        method: 'POST',
        headers,
        body,
        signal: AbortSignal.any([signal, deadline]),
      } as const;
      const answer = await request(target.url, options).catch((cause: unknown) => {
        throw failedRequest(target, cause, { aborted: signal.aborted, late: deadline.aborted });
      });
      if (isSuccess(answer.statusCode)) return answer.body.bytes().catch(() => undefined);
      const said = quoteAnswer(await refusalBody(answer), { values: values(), secrets: secretsOf(target) });
      throw refusal(target, answer, said, clock.now());
    },
    quote: (text, values) =>
      quoteAnswer({ body: Buffer.from(text), contentType: 'text/plain' }, { values, secrets: secretsOf(target) }),
    close: async () => dispatchers.destroy(),
  };
}

type Dispatchers = Readonly<{
  /** For the next request. @throws {ExporterError} `network` when a TLS file of a target behind a proxy cannot be read. */
  current(): Dispatcher;
  destroy(): Promise<void>;
}>;

function dispatchersTo({ tls, proxy, timeoutMs }: OtlpTarget): Dispatchers {
  if (proxy !== undefined) return tunnels(tls, proxy, timeoutMs);
  const dispatcher = new Agent({ maxResponseSize, connect: connectorOf(tls) });
  return { current: () => dispatcher, destroy: async () => dispatcher.destroy() };
}

/** A `CONNECT` tunnel, also for `http:`. Renewed TLS files replace it, because undici opens the connections in it. */
function tunnels(tls: OtlpTarget['tls'], proxy: ProxyConfig, timeoutMs: number): Dispatchers {
  let held: Readonly<{ texts: string; dispatcher: Dispatcher }> | undefined;
  return {
    current: () => {
      const requestTls = readTls(tls);
      const texts = JSON.stringify(requestTls);
      if (held?.texts === texts) return held.dispatcher;
      void held?.dispatcher.close();
      const dispatcher = new ProxyAgent({
        maxResponseSize,
        uri: proxy.url.reveal(),
        proxyTunnel: true,
        requestTls,
        // A tunnel that is never answered would block the requests after it.
        clientFactory: (origin, options) => new Pool(origin, Object.assign({}, options, { headersTimeout: timeoutMs })),
      });
      held = { texts, dispatcher };
      return dispatcher;
    },
    destroy: async () => held?.dispatcher.destroy(),
  };
}

/** Names in lower case. The operator may replace `user-agent` only. */
function requestHeaders({ protocol, headers, compression }: OtlpTarget, version: string): Record<string, string> {
  const own = Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value.reveal()] as const);
  return {
    'user-agent': `vb365-exporter/${version}`,
    ...Object.fromEntries(own),
    'content-type': protocol === 'http/json' ? 'application/json' : 'application/x-protobuf',
    ...(compression === 'gzip' ? { 'content-encoding': 'gzip' } : {}),
  };
}

/** Includes the path, which names the signal, and the proxy. */
const addressOf = ({ url, proxy }: OtlpTarget): string =>
  `"${url.host}${url.pathname}"${proxy === undefined ? '' : ` through the proxy "${proxyName(proxy)}"`}`;

const isSuccess = (statusCode: number): boolean => statusCode >= 200 && statusCode < 300;

/** Every secret that a request holds: values of headers, decoded where they are credentials, and those of the URL. */
function secretsOf({ url, headers }: OtlpTarget): readonly string[] {
  const values = Object.values(headers).map(value => value.reveal());
  const basic = values.flatMap(value => /^basic +(.+)$/i.exec(value)?.[1] ?? []);
  const decoded = basic.map(value => Buffer.from(value, 'base64').toString());
  return [...values, ...decoded, url.username, url.password, url.search].filter(text => text !== '');
}

/** The beginning of a body, as far as it can be read before the deadline. */
async function refusalBody({ body, headers }: Dispatcher.ResponseData): Promise<RefusalBody> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  try {
    for await (const chunk of body) {
      chunks.push(Buffer.from(chunk));
      size += chunks.at(-1)?.length ?? 0;
      if (size >= maxRefusalSize) break;
    }
  } catch {
    // The status stands, and what has been read can be quoted.
  }
  const contentType = String(headers['content-type'] ?? '');
  return { body: Buffer.concat(chunks).subarray(0, maxRefusalSize), contentType };
}

function failedRequest(
  target: OtlpTarget,
  cause: unknown,
  why: Readonly<{ aborted: boolean; late: boolean }>,
): ExporterError {
  if (cause instanceof ExporterError) return cause;
  const code = errorCode(cause);
  const isLate = why.late || code === 'ETIMEDOUT' || code === 'UND_ERR_CONNECT_TIMEOUT';
  const reason: Reason = why.aborted ? 'aborted' : isLate ? 'timeout' : 'network';
  const words = why.aborted ? 'aborted' : why.late ? 'no answer in time' : wordsFor(target, cause);
  // With a proxy, the cause may hold what we sent.
  const seen =
    target.proxy === undefined ? { cause } : { details: { code, ...(isOfProxy(target, cause) && { proxy: true }) } };
  return new ExporterError(reason, `Could not send to ${addressOf(target)}: ${words}`, seen);
}

const plainPort = /^(?:EPROTO|ERR_SSL_WRONG_VERSION_NUMBER|ERR_SSL_PACKET_LENGTH_TOO_LONG)$/;

/** TLS begins with the proxy, so it is the first that may not use it. */
const isPlainProxy = ({ proxy }: OtlpTarget, cause: unknown): boolean =>
  proxy?.url.reveal().startsWith('https:') === true && plainPort.test(errorCode(cause));

const isOfProxy = (target: OtlpTarget, cause: unknown): boolean =>
  target.proxy !== undefined && (proxyFault(cause) !== undefined || isPlainProxy(target, cause));

/** With the code, by which the cause can be found in documentation. */
function wordsFor(target: OtlpTarget, cause: unknown): string {
  const ofProxy = target.proxy === undefined ? undefined : proxyFault(cause);
  if (ofProxy !== undefined) return ofProxy;
  const code = errorCode(cause);
  if (isPlainProxy(target, cause)) {
    const other = target.url.protocol === 'https:' ? ', or that of the receiver does not' : '';
    return `the port of the proxy does not use TLS although its URL begins with "https"${other} (${code})`;
  }
  if (code === '') return 'unknown network error';
  const isTls = code.includes('SSL') || code === 'EPROTO';
  const words = certificateFaults[code] ?? networkWords[code] ?? (isTls ? 'the TLS handshake failed' : 'network error');
  return `${words} (${code})`;
}

function refusal(target: OtlpTarget, answer: Dispatcher.ResponseData, said: string, nowMs: number): ExporterError {
  const { statusCode, headers } = answer;
  const wait = parseRetryAfter([headers['retry-after']].flat()[0], nowMs);
  const message = `Could not send to ${addressOf(target)}: answered ${String(statusCode)}`;
  const details = { statusCode, ...(said === '' ? {} : { answer: said }) };
  return new ExporterError(reasonOf(statusCode, wait), message, { details, retryAfterMs: wait });
}

/** `rejected` for 400, 404, 413 and redirects: a retry would end the same. */
function reasonOf(statusCode: number, wait: number | undefined): Reason {
  if (statusCode === 401 || statusCode === 403) return 'auth';
  if (statusCode === 408 || statusCode === 504) return 'timeout';
  if (statusCode === 429 || (statusCode === 503 && wait !== undefined)) return 'throttled';
  return statusCode >= 500 ? 'server' : 'rejected';
}
