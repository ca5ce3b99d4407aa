import { ExporterError, type Reason } from '../kernel/errors.js';
import { certificateFaults, errorCode, networkWords } from '../kernel/network-error.js';
import type { ApiOperation } from '../model/labels.js';
import { isJsonObject, parseJson, text } from './json.js';

/** Completes "Could not ...". */
const actions: Readonly<Record<ApiOperation, string>> = {
  token: 'log in',
  probe: 'read the service instance',
  sessions: 'list restore sessions',
  session: 'read a restore session',
  events: 'read restore events',
  feed: 'read the change feed',
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
  403: ' (the account may not, or the server lets only restore operators in)',
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

const noTls = 'the port does not speak TLS; that of the REST API does (4443 unless changed)';
const oldTls = 'it speaks no TLS newer than 1.1, and 1.2 is the least that is taken';

/** As `networkWords`, with what they mean for a VB365 server or a proxy in front of it. */
const serverWords: Readonly<Record<string, string>> = {
  ...networkWords,
  ECONNREFUSED:
    'connection refused; check that the REST service is enabled (it is off by default) and that the port is right',
  UND_ERR_HEADERS_TIMEOUT: 'the proxy does not answer',
  EPROTO: noTls,
  ERR_SSL_WRONG_VERSION_NUMBER: noTls,
  ERR_SSL_PACKET_LENGTH_TOO_LONG: noTls,
  ERR_SSL_UNSUPPORTED_PROTOCOL: oldTls,
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: oldTls,
  UND_ERR_PRX_TLS: 'the TLS certificate of the proxy is for another host name',
};

/** Codes of our own connect timeout. */
const timeouts: ReadonlySet<string> = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT', 'UND_ERR_HEADERS_TIMEOUT']);

/** `host:port` of the server, and whether a proxy may be in between. */
type ServerRoute = Readonly<{ host: string; proxied: boolean }>;

/**
 * The error of a request without a complete response. The cause is left out for undici's HTTP parser, because it holds
 * what the server sent, and for a proxy, because it may hold what we sent.
 */
export function networkFailure(thrown: unknown, { host, proxied }: ServerRoute): ExporterError {
  if (isJsonObject(thrown) && thrown['name'] === 'HTTPParserError')
    return new ExporterError('decode', `Could not read the answer of "${host}": not HTTP`);
  const code = errorCode(thrown);
  const reason = timeouts.has(code) ? 'timeout' : 'network';
  const route = proxied ? `"${host}", perhaps through a proxy` : `"${host}"`;
  const words = proxyFault(thrown, code) ?? serverWords[code] ?? (code || 'unknown network error');
  return new ExporterError(reason, `Could not connect to ${route}: ${words}`, proxied ? {} : { cause: thrown });
}

/** `trust.ts` checks the server's own certificate, so one that Node refuses is that of a proxy. */
function proxyFault(thrown: unknown, code: string): string | undefined {
  const fault = certificateFaults[code];
  if (fault !== undefined) return `the proxy is not trusted, ${fault}`;
  const message = isJsonObject(thrown) ? text(thrown['message']) : '';
  const status = /^Proxy response \((\d{3})\)/.exec(message)?.[1];
  const hint = status === '407' ? ' (it wants a user and a password, or others)' : '';
  return status === undefined ? undefined : `the proxy answered HTTP ${status}${hint}`;
}
