import type { TLSSocket } from 'node:tls';
import type { WebTls } from './web-config.js';

/** Whether a client may go on after the handshake, by the certificate that it has shown, or by showing none. */
export function mayEnter(socket: TLSSocket, { clientAuth, allowedSans }: WebTls): boolean {
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return !clientAuth.startsWith('Require');
  const verified = clientAuth === 'VerifyClientCertIfGiven' || clientAuth === 'RequireAndVerifyClientCert';
  if (verified && !socket.authorized) return false;
  if (allowedSans.length === 0) return true;
  return alternativeNames(certificate.subjectAltName ?? '').some(name => allowedSans.includes(name));
}

/** One `kind:value` of Node's `subjectAltName`; a value with special characters is a JSON string. */
const entry = /(?:^|, )(?:DNS|IP Address|email|URI):("(?:[^"\\]|\\.)*"|[^,"]*)/g;

/** The names in the text that Node makes of the extension, such as `DNS:a.example, IP Address:127.0.0.1`. */
export const alternativeNames = (text: string): readonly string[] =>
  [...text.matchAll(entry)].map(([, value = '']) => (value.startsWith('"') ? String(JSON.parse(value)) : value));
