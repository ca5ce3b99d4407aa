import { ExporterError, type Reason } from '../kernel/errors.js';
import type { Operation } from './options.js';
import { isWire } from './wire.js';

/** What we tried, as errors begin. */
const actions: Readonly<Record<Operation, string>> = {
  token: 'log in',
  probe: 'read the service instance',
  sessions: 'list restore sessions',
  session: 'read a restore session',
  events: 'read restore events',
  feed: 'read the change feed',
  statistics: 'read restore statistics',
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
  403: ' (the account may not)',
  404: ' (the server may not serve this API version)',
};

/** A 503 without a wait that can be read is a server in trouble, with one a server that asks for patience. */
function statusReason(status: number, retryAfterMs: number | undefined): Reason {
  if (status === 401 || status === 403) return 'auth';
  if (status === 429 || (status === 503 && retryAfterMs !== undefined)) return 'throttled';
  return status >= 500 ? 'server' : 'rejected';
}

/** Hint for a certificate that no authority we know has signed; Node reads the variable at start. */
const untrusted =
  'its TLS certificate is not trusted; name its issuer with NODE_EXTRA_CA_CERTS, or install a certificate of a known authority';

/** Error codes of Node's `dns`, `net` and `tls`, of OpenSSL and of undici, in words. */
const networkWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'connection reset',
  EPIPE: 'connection reset',
  EHOSTUNREACH: 'host unreachable',
  ENETUNREACH: 'network unreachable',
  ETIMEDOUT: 'connection timed out',
  ENOTFOUND: 'host name not found',
  EAI_AGAIN: 'host name could not be resolved',
  UND_ERR_CONNECT_TIMEOUT: 'connection timed out',
  UND_ERR_SOCKET: 'connection closed by the other side',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'the answer was cut off',
  EPROTO: 'the port does not speak TLS',
  ERR_SSL_WRONG_VERSION_NUMBER: 'the port does not speak TLS',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'the port does not speak TLS',
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_HAS_EXPIRED: 'its TLS certificate has expired',
  CERT_NOT_YET_VALID: 'its TLS certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is for another host name',
};

/** Codes that mean our own deadline for a connection. */
const timeouts: ReadonlySet<string> = new Set(['ETIMEDOUT', 'UND_ERR_CONNECT_TIMEOUT']);

/**
 * An error for a request that got no complete answer. `host` is `host:port`. One of undici's HTTP parser is given
 * without its cause, which holds what the server sent.
 */
export function networkFailure(thrown: unknown, host: string): ExporterError {
  if (isWire(thrown) && thrown['name'] === 'HTTPParserError')
    return new ExporterError('decode', `Could not read the answer of "${host}": not HTTP`);
  const code = errorCode(thrown);
  const words = networkWords[code] ?? (code === '' ? 'unknown network error' : code);
  const reason = timeouts.has(code) ? 'timeout' : 'network';
  return new ExporterError(reason, `Could not connect to "${host}": ${words}`, { cause: thrown });
}

/** The first code in an error, its parts (one per address tried) and its causes. */
function errorCode(thrown: unknown): string {
  if (!isWire(thrown)) return '';
  if (typeof thrown['code'] === 'string') return thrown['code'];
  return errorCode(Array.isArray(thrown['errors']) ? thrown['errors'][0] : thrown['cause']);
}
