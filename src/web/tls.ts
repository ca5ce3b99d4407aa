import type { Express } from 'express';
import { createServer, type Server, type ServerOptions } from 'node:https';
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import type { WebTls } from '../config/web-config.js';
import { ExporterError } from '../kernel/errors.js';
import { certificatesIn, noCertificate, pairFault } from '../kernel/pem.js';

const nodeVersions = { TLS10: 'TLSv1', TLS11: 'TLSv1.1', TLS12: 'TLSv1.2', TLS13: 'TLSv1.3' } as const;

const contextOptions = ({ cert, key, clientCa, minVersion, maxVersion }: WebTls): SecureContextOptions => ({
  cert,
  key,
  ca: clientCa,
  minVersion: nodeVersions[minVersion],
  maxVersion: nodeVersions[maxVersion],
});

/**
 * Checks that OpenSSL accepts the certificate, key and client CA, and that they fit together.
 * @param nameOf what the error calls one of them.
 * @throws {ExporterError} `config`.
 */
export function checkTls(tls: WebTls, nameOf: (part: 'cert' | 'key' | 'clientCa') => string): void {
  const fault: Readonly<{ of: 'cert' | 'key' | 'clientCa'; why: string }> | undefined =
    tls.clientCa !== undefined && certificatesIn(tls.clientCa).length === 0
      ? { of: 'clientCa', why: noCertificate }
      : pairFault(tls.cert, tls.key);
  if (fault !== undefined) throw new ExporterError('config', `Could not use ${nameOf(fault.of)}: ${fault.why}`);
  try {
    createSecureContext(contextOptions(tls));
  } catch (cause) {
    throw new ExporterError('config', `Could not use ${nameOf('cert')}: OpenSSL refuses it`, { cause });
  }
}

/**
 * A TLS server. Each new connection uses the `latest` certificate, key, client CA, TLS versions and allowed names.
 * Whether clients are asked for a certificate is fixed by `first`.
 */
export function createTlsServer(
  app: Express,
  { tls: first, timeouts = {} }: Readonly<{ tls: WebTls; timeouts?: ServerOptions }>,
  latest: () => WebTls | undefined,
): Server {
  let tls = first;
  const requestCert = first.clientAuth !== 'NoClientCert';
  // Node completes every handshake; `isAllowed` decides which certificates are good enough.
  const server = createServer({ ...timeouts, ...contextOptions(first), requestCert, rejectUnauthorized: false }, app);
  server.prependListener('connection', () => {
    const now = latest();
    if (now === undefined || now === tls) return;
    tls = now;
    server.setSecureContext(contextOptions(now));
  });
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (!isAllowed(socket, tls)) socket.destroy();
  });
  return server;
}

/** Whether a client may send requests, by the certificate it presented or by presenting none. */
function isAllowed(socket: TLSSocket, { clientAuth, allowedSans }: WebTls): boolean {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return !clientAuth.startsWith('Require');
  const mustVerify = clientAuth === 'VerifyClientCertIfGiven' || clientAuth === 'RequireAndVerifyClientCert';
  if (mustVerify && !socket.authorized) return false;
  if (allowedSans.length === 0) return true;
  return alternativeNames(certificate.subjectAltName ?? '').some(name => allowedSans.includes(name));
}

/** One `kind:value` of Node's `subjectAltName`; a value with special characters is a JSON string. */
const namePattern = /(?:^|, )(?:DNS|IP Address|email|URI):("(?:[^"\\]|\\.)*"|[^,"]*)/g;

/** The names in Node's text form of the extension, such as `DNS:a.example, IP Address:127.0.0.1`. */
export const alternativeNames = (text: string): readonly string[] =>
  [...text.matchAll(namePattern)].map(([, value = '']) => (value.startsWith('"') ? String(JSON.parse(value)) : value));
