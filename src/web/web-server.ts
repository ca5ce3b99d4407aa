import type { Express } from 'express';
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http';
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { createSecureContext, type SecureContextOptions, type TLSSocket } from 'node:tls';
import { ExporterError } from '../kernel/errors.js';
import { mayEnter } from './client-certificate.js';
import type { TlsVersion, WebConfig, WebTls } from './web-config.js';

const nodeVersions = {
  TLS10: 'TLSv1',
  TLS11: 'TLSv1.1',
  TLS12: 'TLSv1.2',
  TLS13: 'TLSv1.3',
} as const satisfies Readonly<Record<TlsVersion, SecureContextOptions['minVersion']>>;

const contextOptions = ({ cert, key, clientCa, minVersion, maxVersion }: WebTls): SecureContextOptions => ({
  cert,
  key,
  ...(clientCa === undefined ? {} : { ca: clientCa }),
  minVersion: nodeVersions[minVersion],
  maxVersion: nodeVersions[maxVersion],
});

/**
 * Checks that certificate, key and authority are what they should be, and fit together.
 * @throws {ExporterError} `config`.
 */
export function checkTls(tls: WebTls): void {
  try {
    createSecureContext(contextOptions(tls));
  } catch (cause) {
    throw new ExporterError('config', 'Could not use the TLS certificate, key or client CA of the web configuration', {
      cause,
    });
  }
}

/**
 * A server that speaks TLS if the configuration of this moment has it. Certificate, key, authority, versions and
 * names are those of the configuration at each connection; whether there is TLS, and whether clients are asked for a
 * certificate, is settled for good.
 */
export function createWebServer(app: Express, webConfig: () => WebConfig): HttpServer | HttpsServer {
  const { tls } = webConfig();
  return tls === undefined ? createHttpServer(app) : secureServer(app, tls, () => webConfig().tls);
}

function secureServer(app: Express, first: WebTls, latest: () => WebTls | undefined): HttpsServer {
  let tls = first;
  const requestCert = first.clientAuth !== 'NoClientCert';
  // Not Node's to reject: which certificates are good enough is decided in `mayEnter`.
  const server = createHttpsServer({ ...contextOptions(first), requestCert, rejectUnauthorized: false }, app);
  server.prependListener('connection', () => {
    const now = latest();
    if (now === undefined || now === tls) return;
    tls = now;
    server.setSecureContext(contextOptions(now));
  });
  server.prependListener('secureConnection', (socket: TLSSocket) => {
    if (!mayEnter(socket, tls)) socket.destroy();
  });
  return server;
}
