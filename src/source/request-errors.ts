import { ExporterError, type Reason } from '../kernel/errors.js';
import type { Operation } from './options.js';
import { certificateFault } from './trust.js';
import { isWire } from './wire.js';

/** What we tried, as errors begin. */
const actions: Readonly<Record<Operation, string>> = {
  token: 'log in',
  probe: 'read the service instance',
  sessions: 'list restore sessions',
  session: 'read a restore session',
  events: 'read restore events',
  feed: 'read the change feed',
};

type Hints = Readonly<{ cause?: unknown; retryAfterMs?: number | undefined; status?: number }>;

/** An error about a request: what was tried and what came of it. Says nothing of its URL, token or body. */
export function failure(operation: Operation, reason: Reason, why: string, hints: Hints = {}): ExporterError {
  const { status, ...options } = hints;
  const details = { operation, ...(status === undefined ? {} : { status }) };
  return new ExporterError(reason, `Could not ${actions[operation]}: ${why}`, { ...options, details });
}

/** What a status means that is not the one asked for. */
export function statusFailure(
  operation: Operation,
  { status, retryAfterMs }: Readonly<{ status: number; retryAfterMs: number | undefined }>,
): ExporterError {
  const why = `HTTP ${String(status)}${statusHints[status] ?? ''}`;
  return failure(operation, statusReason(status, retryAfterMs), why, { retryAfterMs, status });
}

const statusHints: Readonly<Record<number, string>> = {
  401: ' (the token was refused)',
  403: ' (the account may not, or the server lets only restore operators in)',
  404: ' (the server may not serve this API version)',
};

/** A 503 without a wait that can be read is a server in trouble, with one a server that asks for patience. */
function statusReason(status: number, retryAfterMs: number | undefined): Reason {
  if (status === 401 || status === 403) return 'auth';
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) return 'throttled';
  return status >= 500 ? 'server' : 'rejected';
}

const noTls = 'the port does not speak TLS; that of the REST API does (4443 unless changed)';

const oldTls = 'it speaks no TLS newer than 1.1, and 1.2 is the least that is taken';

/** Error codes of Node's `dns`, `net` and `tls`, of OpenSSL and of undici, in words. */
const networkWords: Readonly<Record<string, string>> = {
  ECONNREFUSED:
    'connection refused; is the REST service of VB365 on (it is off unless switched on), and is this its port?',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name could not be resolved',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  UND_ERR_HEADERS_TIMEOUT: 'the proxy does not answer',
  UND_ERR_SOCKET: 'connection closed by the other side',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer was cut off',
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: oldTls,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: oldTls,
  UND_ERR_PRX_TLS: 'the TLS certificate of the proxy is for another host name',
};

/** Codes that mean our own deadline for a connection. */
const timeouts: ReadonlySet<string> = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT']);

/** Where a request went: `host:port`, and whether a proxy may have been between. */
type Way = Readonly<{ host: string; proxied: boolean }>;

/**
 * An error for a request that got no complete answer. One of undici's HTTP parser is given without its cause, which
 * holds what the server sent; one of a proxy, too, because it may hold what we sent.
 */
export function networkFailure(thrown: unknown, { host, proxied }: Way): ExporterError {
  if (isWire(thrown) && thrown['name'] === 'HTTPParserError')
    return new ExporterError('decode', `Could not read the answer of "${host}": not HTTP`);
  const code = errorCode(thrown);
  const reason = timeouts.has(code) ? 'timeout' : 'network';
  const way = proxied ? `"${host}", perhaps through a proxy` : `"${host}"`;
  const words =
    proxyWords(thrown) ?? networkWords[code] ?? proxyFault(code) ?? (code === '' ? 'unknown network error' : code);
  return new ExporterError(reason, `Could not connect to ${way}: ${words}`, proxied ? {} : { cause: thrown });
}

/** What undici says of a proxy that lets nobody through. */
function proxyWords(thrown: unknown): string | undefined {
  const message = isWire(thrown) && typeof thrown['message'] === 'string' ? thrown['message'] : '';
  const status = /^Proxy response \((\d{3})\)/.exec(message)?.[1];
  if (status === undefined) return undefined;
  return `the proxy answered HTTP ${status}${status === '407' ? ' (it wants a user and a password, or others)' : ''}`;
}

/** The server's own certificate is judged elsewhere: what Node refuses is that of a proxy. */
function proxyFault(code: string): string | undefined {
  const fault = certificateFault(code);
  return fault === undefined ? undefined : `the proxy is not trusted, ${fault}`;
}

/** The first code in an error, its parts (one per address tried) and its causes. */
function errorCode(thrown: unknown): string {
  if (!isWire(thrown)) return '';
  if (typeof thrown['code'] === 'string') return thrown['code'];
  return errorCode(Array.isArray(thrown['errors']) ? thrown['errors'][0] : thrown['cause']);
}
