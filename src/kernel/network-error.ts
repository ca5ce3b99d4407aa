const untrusted = 'its TLS certificate is signed by an unknown authority';

/** The faults of a certificate in words, by the code of Node or OpenSSL. */
export const certificateFaults: Readonly<Record<string, string>> = {
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its TLS certificate is self-signed',
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  CERT_SIGNATURE_FAILURE: untrusted,
  CERT_HAS_EXPIRED: 'its TLS certificate, or one above it, has expired',
  CERT_NOT_YET_VALID: 'its TLS certificate, or one above it, is not valid yet',
  CERT_REVOKED: 'its TLS certificate is revoked',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its TLS certificate is for another host name',
};

/** Error codes of Node's `dns` and `net`, and of undici, in words. */
export const networkWords: Readonly<Record<string, string>> = {
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
};

/** The first code in an error, its parts (one per address tried) and its causes; `''` for none. */
export function errorCode(thrown: unknown): string {
  if (typeof thrown !== 'object' || thrown === null) return '';
  if ('code' in thrown && typeof thrown.code === 'string') return thrown.code;
  if ('errors' in thrown && Array.isArray(thrown.errors)) return errorCode(thrown.errors[0]);
  return 'cause' in thrown ? errorCode(thrown.cause) : '';
}

/** Codes that are about the proxy when there is one: it resolves the other host, and connects to it. */
const proxyWords: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused by the proxy',
  EHOSTUNREACH: 'the proxy is unreachable',
  ENETUNREACH: 'the network of the proxy is unreachable',
  ENOTFOUND: 'host name of the proxy not found',
  EAI_AGAIN: 'host name of the proxy could not be resolved',
};

/** What is wrong with a proxy, such as its answer to a request for a tunnel; undefined for any other error. */
export function proxyFault(thrown: unknown): string | undefined {
  const message = thrown instanceof Error ? thrown.message : '';
  const status = /^Proxy response \((\d{3})\)/.exec(message)?.[1];
  const hint = status === '407' ? ' (it requires a user name and password, or refuses these)' : '';
  return status === undefined ? proxyWords[errorCode(thrown)] : `the proxy answered HTTP ${status}${hint}`;
}
