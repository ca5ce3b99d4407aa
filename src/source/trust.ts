import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { certificateFaults } from '../kernel/network-error.js';

/** How to verify the certificate of the server. */
export type Trust =
  /** `ca`: PEM that replaces the authorities of Node; read for every request, so that they can rotate. */
  | Readonly<{ kind: 'authorities'; ca: (() => Promise<string>) | undefined }>
  /** `fingerprint`: SHA-256 of the server's certificate, pairs of hex digits, with or without colons. */
  | Readonly<{ kind: 'pinned'; fingerprint: string }>
  | Readonly<{ kind: 'anyone' }>;

/** One certificate of a chain. */
export type Certificate = Readonly<{
  /** Names as OpenSSL writes them, one attribute a line. */
  subject: string;
  issuer: string;
  /** Host names and addresses, as `DNS:a, IP Address:b`; `''` for none. */
  hosts: string;
  /** Epoch ms. */
  validFromMs: number;
  validToMs: number;
  /** SHA-256, `AA:BB:...`. */
  fingerprint: string;
}>;

/** Why the peer of a socket is not trusted and what to do about it; undefined when it is trusted. */
export function distrustOf(socket: TLSSocket, trust: Trust): string | undefined {
  const own = chainOf(socket)[0];
  if (own === undefined) return 'it presents no TLS certificate';
  if (trust.kind === 'anyone') return undefined;
  const { fingerprint } = own;
  if (trust.kind === 'pinned')
    return digits(trust.fingerprint) === digits(fingerprint)
      ? undefined
      : `its TLS certificate does not match "tls.server_fingerprint"; its fingerprint is ${fingerprint}`;
  if (socket.authorized) return undefined;
  // Node's types say an error; it is the code of that error, or null.
  const code: unknown = socket.authorizationError;
  const name = typeof code === 'string' ? code : 'not authorized';
  const fault = certificateFaults[name] ?? `its TLS certificate is refused (${name})`;
  return `${fault}; name its issuer with "tls.ca_file", or set "tls.server_fingerprint" if ${fingerprint} is its own`;
}

const digits = (fingerprint: string): string => fingerprint.replaceAll(':', '').toUpperCase();

/** The certificates that a peer sent, its own first, up to the authority when it is known. */
export function chainOf(socket: TLSSocket): readonly Certificate[] {
  const chain: Certificate[] = [];
  // `getPeerX509Certificate` returns the certificate only once per connection (Node 24.21).
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  // Without a certificate Node returns an empty object; the topmost one is its own issuer.
  while (next?.raw !== undefined) {
    const certificate = describe(new X509Certificate(next.raw));
    if (chain.some(({ fingerprint }) => fingerprint === certificate.fingerprint)) break;
    chain.push(certificate);
    next = next.issuerCertificate;
  }
  return chain;
}

const describe = (certificate: X509Certificate): Certificate => ({
  subject: certificate.subject,
  issuer: certificate.issuer,
  hosts: certificate.subjectAltName ?? '',
  validFromMs: certificate.validFromDate.getTime(),
  validToMs: certificate.validToDate.getTime(),
  fingerprint: certificate.fingerprint256,
});
