/** Whom we take for the server. */
export type Trust =
  | Readonly<{
      kind: 'authorities';
      /** Their certificates as PEM, in place of those that Node brings; read for every request, so that they can rotate. */
      ca: (() => Promise<string>) | undefined;
    }>
  | Readonly<{
      kind: 'pinned';
      /** SHA-256 of the server's own certificate: pairs of hex digits, colons do not matter. */ fingerprint: string;
    }>
  | Readonly<{ kind: 'anyone' }>;

/** What a TLS handshake told of the other side. */
export type Peer = Readonly<{
  /** Why the chain or the host name is not in order, as Node and OpenSSL name it; `''` when both are. */
  authorizationError: string;
  /** SHA-256 of its own certificate, `AA:BB:...`. */
  fingerprint: string;
}>;

/** What a certificate's fault is called, by the code of Node or OpenSSL; undefined for a code that means no such fault. */
export const certificateFault = (code: string): string | undefined => faults[code];

const untrusted = 'its TLS certificate is signed by nobody we trust';

const faults: Readonly<Record<string, string>> = {
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

/** Why the peer is not the one we trust, and what to do about it; undefined when it is. */
export function distrust(trust: Trust, { authorizationError, fingerprint }: Peer): string | undefined {
  if (trust.kind === 'anyone') return undefined;
  if (trust.kind === 'pinned')
    return isSameFingerprint(trust.fingerprint, fingerprint)
      ? undefined
      : `its TLS certificate is not the one of "tls.server_fingerprint"; seen is ${fingerprint}`;
  if (authorizationError === '') return undefined;
  const fault = faults[authorizationError] ?? `its TLS certificate is refused (${authorizationError})`;
  return `${fault}; name its issuer with "tls.ca_file", or set "tls.server_fingerprint" if ${fingerprint} is its own`;
}

const isSameFingerprint = (one: string, other: string): boolean => digits(one) === digits(other);
const digits = (fingerprint: string): string => fingerprint.replaceAll(':', '').toUpperCase();
