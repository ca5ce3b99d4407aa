import { type ProxyConfig, proxyName } from '../config/proxy.js';
import { ExporterError, type Reason } from '../kernel/errors.js';
import { certificateFaults, errorCode, networkWords, proxyFault } from '../kernel/network-error.js';
import type { ApiOperation } from '../model/labels.js';
import { longestAnswerBytes, tooLong, UnusableAnswer } from './answer-limits.js';
import { isJsonObject, parseJson } from './json.js';

/** Completes "Could not ...". */
const actions: Readonly<Record<ApiOperation, string>> = {
  token: 'log in',
  probe: 'read the service instance',
  sessions: 'list restore sessions',
  session: 'read a restore session',
  events: 'read restore events',
  feed: 'read the change feed',
  owners: 'read the owner of restored data',
};

type HttpStatus = Readonly<{ status: number; retryAfterMs: number | undefined }>;

/** An error of a request: the operation and why it failed. Never holds the URL, the token or the body. */
export function failure(operation: ApiOperation, reason: Reason, why: string, answer?: HttpStatus): ExporterError {
  const { status, retryAfterMs } = answer ?? {};
  const details = { operation, ...(status === undefined ? {} : { status }) };
  return new ExporterError(reason, `Could not ${actions[operation]}: ${why}`, { retryAfterMs, details });
}

/** The error for a status other than the expected one. */
export const statusFailure = (operation: ApiOperation, answer: HttpStatus): ExporterError =>
  failure(operation, statusReason(answer), `HTTP ${String(answer.status)}${statusHints[answer.status] ?? ''}`, answer);

const statusHints: Readonly<Record<number, string>> = {
  401: ' (the token was refused)',
  403: ' (the account lacks permission, or the server admits only restore operators)',
  404: ' (the server may not serve this API version)',
};

/** 503 with a readable `Retry-After` is throttling, without one a failing server. */
function statusReason({ status, retryAfterMs }: HttpStatus): Reason {
  if (status === 401 || status === 403) return 'auth';
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) return 'throttled';
  return status >= 500 ? 'server' : 'rejected';
}

/**
 * The JSON of a response with status 200.
 * @throws {ExporterError} as `statusFailure`, or `decode` without a cause: the parser's message quotes the body.
 */
export function okJson(operation: ApiOperation, response: HttpStatus & Readonly<{ body: string }>): unknown {
  if (response.status !== 200) throw statusFailure(operation, response);
  const json = parseJson(response.body);
  if (json !== undefined) return json;
  const hint = response.body.trimStart().startsWith('<') ? ' but a web page; is this the port of the REST API?' : '';
  throw failure(operation, 'decode', `the answer is not JSON${hint}`);
}

/** VB365 writes an object, or nothing. A web page with status 404 comes from a proxy and says nothing about what was asked for. */
export const isGone = ({ status, body }: Readonly<{ status: number; body: string }>): boolean =>
  status === 404 && (body.trim() === '' || isJsonObject(parseJson(body)));

const noTlsAtProxy =
  'the port of the proxy does not use TLS although its URL begins with "https", or that of the REST API does not';
const noTls = 'the port does not use TLS; check that it is the port of the REST API (default 4443)';
const oldTls = 'it supports TLS 1.1 at most, and the exporter requires TLS 1.2';

/** As `networkWords`, with what they mean for a VB365 server or a proxy in front of it. */
const serverWords: Readonly<Record<string, string>> = {
  ...networkWords,
  ECONNREFUSED:
    'connection refused; check that the REST service is enabled (it is off by default) and that the port is right',
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: oldTls,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: oldTls,
};

const proxyWords: Readonly<Record<string, string>> = {
  UND_ERR_HEADERS_TIMEOUT: 'the proxy does not answer',
  UND_ERR_PRX_TLS: 'the TLS certificate of the proxy is for another host name',
};

/** Codes of a connection that breaks after it was made: the next request may succeed. */
const broken: ReadonlySet<string> = new Set([
  'ECONNRESET',
  'EPIPE',
  'UND_ERR_SOCKET',
  'UND_ERR_RES_CONTENT_LENGTH_MISMATCH',
]);

/** Codes of our own connect timeout. */
const timeouts: ReadonlySet<string> = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT']);

/** `host:port` of the server, and the proxy in between. */
type ServerRoute = Readonly<{ host: string; proxy?: ProxyConfig | undefined }>;

/**
 * The error of a request without a complete response; `details.proxy` if it is about the proxy. The cause is left out for
 * undici's HTTP parser, because it holds what the server sent, and for a proxy, because it may hold what we sent.
 */
export function networkFailure(thrown: unknown, { host, proxy }: ServerRoute): ExporterError {
  if (isParserError(thrown)) return new ExporterError('decode', `Could not read the answer of "${host}": not HTTP`);
  const code = errorCode(thrown);
  const reason = timeouts.has(code) ? 'timeout' : 'network';
  const route = proxy === undefined ? `"${host}"` : `"${host}" through the proxy "${proxyName(proxy)}"`;
  const fault = faultOf(proxy, thrown, code);
  const words = fault ?? serverWords[code] ?? (code || 'unknown network error');
  return new ExporterError(reason, `Could not connect to ${route}: ${words}`, {
    details: detailsOf(code, fault !== undefined || isSlowProxy(proxy, code)),
    ...(proxy === undefined ? { cause: thrown } : {}),
  });
}

const isParserError = (thrown: unknown): boolean => isJsonObject(thrown) && thrown['name'] === 'HTTPParserError';

const detailsOf = (code: string, isOfProxy: boolean): Readonly<Record<string, boolean>> =>
  broken.has(code) ? { connected: true } : isOfProxy ? { proxy: true } : {};

/** With a proxy, no connection is made but to it. */
const isSlowProxy = (proxy: ProxyConfig | undefined, code: string): boolean =>
  proxy !== undefined && timeouts.has(code);

/** What is wrong with the proxy. `trust.ts` checks the server's own certificate, so one that Node refuses is that of a proxy. */
function faultOf(proxy: ProxyConfig | undefined, thrown: unknown, code: string): string | undefined {
  if (proxy === undefined) return undefined;
  const fault = certificateFaults[code];
  if (fault !== undefined) return `the proxy is not trusted, ${fault}`;
  if (serverWords[code] === noTls && proxy.url.reveal().startsWith('https:')) return noTlsAtProxy;
  return proxyFault(thrown) ?? proxyWords[code];
}

/** Codes of a connection that the other side has closed. */
const closed: ReadonlySet<string> = new Set(['UND_ERR_SOCKET', 'ECONNRESET', 'EPIPE']);

/** Whether a connection that had been used before was closed. `reused`: none was opened since the request began. */
export function isClosedIdle(thrown: unknown, reused: boolean): boolean {
  if (!closed.has(errorCode(thrown))) return false;
  const socket = isJsonObject(thrown) ? thrown['socket'] : undefined;
  const hasRead = isJsonObject(socket) && typeof socket['bytesRead'] === 'number' && socket['bytesRead'] > 0;
  return reused || hasRead;
}

/** Errors of zlib about a content coding: `Z_DATA_ERROR`, `ERR__ERROR_FORMAT_PADDING_1` and the like. */
const codingError = /^(?:Z_|ERR__ERROR_|ERR_BROTLI_|ERR_PADDING_|ZSTD_)/;

/** Why an answer that came cannot be used; undefined for any other error. */
export function unusable(thrown: unknown): string | undefined {
  if (thrown instanceof UnusableAnswer) return thrown.message;
  const code = errorCode(thrown);
  if (code === 'UND_ERR_RES_EXCEEDED_MAX_SIZE') return tooLong(longestAnswerBytes).message;
  if (code === 'UND_ERR_HEADERS_OVERFLOW') return 'the headers of the answer are longer than 16 KiB';
  // An error of undici without a code.
  if (thrown instanceof Error && thrown.message.startsWith('too many content-encodings'))
    return 'the answer has more than 5 content codings';
  return codingError.test(code) ? 'the compressed answer is damaged' : undefined;
}
