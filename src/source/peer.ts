import { X509Certificate } from 'node:crypto';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { distrust, type Trust } from './trust.js';

/** One certificate of a chain, for people. */
export type Certificate = Readonly<{
  /** Names as OpenSSL writes them, one attribute a line. */
  subject: string;
  issuer: string;
  /** Host names and addresses that it is for, as `DNS:a, IP Address:b`; `''` for none. */
  hosts: string;
  /** Epoch ms. */
  validFromMs: number;
  validToMs: number;
  /** SHA-256, `AA:BB:...`. */
  fingerprint: string;
}>;

/** Why the other side of a socket is not the one we trust, and what to do about it; undefined when it is. */
export function distrustOf(socket: TLSSocket, trust: Trust): string | undefined {
  const own = chainOf(socket)[0];
  if (own === undefined) return 'it shows no TLS certificate';
  // Node's types call it an error; it is that error's code, or null.
  const code: unknown = socket.authorizationError;
  const authorizationError = socket.authorized ? '' : typeof code === 'string' ? code : 'not authorized';
  return distrust(trust, { authorizationError, fingerprint: own.fingerprint });
}

/** The certificates that a peer showed, its own first, and the one of the authority that it led to, if we know that. */
export function chainOf(socket: TLSSocket): readonly Certificate[] {
  const chain: Certificate[] = [];
  // `getPeerX509Certificate` is of no use: it gives the certificate once, and none when asked again (Node 24.21).
  let next: Partial<DetailedPeerCertificate> | undefined = socket.getPeerCertificate(true);
  // Without a certificate Node gives an empty object; the one at the top is its own issuer.
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
