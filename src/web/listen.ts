import type { Express } from 'express';
import { createServer, type Server, type ServerResponse } from 'node:http';
import { isIPv6 } from 'node:net';
import { openWeb, type WebConfig } from '../config/web-config.js';
import { ExporterError } from '../kernel/errors.js';
import { createTlsServer } from './tls.js';

/** Where to listen. Host undefined: on every address of the machine. Port 0: any free port. */
export type ListenAddress = Readonly<{ host: string | undefined; port: number }>;

/** A server that listens. */
export interface Listening {
  readonly address: string;
  readonly port: number;
  /** Accepts no more requests and resolves when the active ones are answered. Closes idle connections. */
  close(): Promise<void>;
}

const addressPattern = /^(?:\[([^\]]+)\]|([^\s:[\]]*)):(\d+)$/;

/**
 * Parses a listen address as exporter-toolkit spells it: `:10365`, `0.0.0.0:10365`, `[::1]:10365`, `localhost:10365`.
 * @throws {ExporterError} `config`.
 */
export function parseListenAddress(text: string): ListenAddress {
  const [, ipv6, host, digits] = addressPattern.exec(text) ?? [];
  const port = Number(digits);
  const why =
    digits === undefined || (ipv6 !== undefined && !isIPv6(ipv6))
      ? 'it must be like ":10365", "0.0.0.0:10365", "[::1]:10365" or "localhost:10365"'
      : port > 65_535
        ? 'the port must be from 0 to 65535'
        : undefined;
  if (why !== undefined) throw new ExporterError('config', `Could not read the listen address "${text}": ${why}`);
  return { host: ipv6 ?? (host === '' ? undefined : host), port };
}

/** What a client may take. Times in ms. */
export type ConnectionLimits = Readonly<{
  /** Further connections are closed at once. */
  connections: number;
  /** Until the header of a request is complete, from the start of the connection or of the request; a TLS handshake too. */
  headerMs: number;
  /** Until a whole request is there. */
  requestMs: number;
  /** Between requests: longer than the usual scrape interval of a minute. */
  idleMs: number;
  /** Without a byte in either direction while a request is being answered. */
  stalledMs: number;
}>;

const defaultLimits: ConnectionLimits = {
  connections: 512,
  headerMs: 10_000,
  requestMs: 30_000,
  idleMs: 75_000,
  stalledMs: 60_000,
};

/** For `createServer` of Node. */
const timeoutsOf = ({ headerMs, requestMs, idleMs }: ConnectionLimits) => ({
  headersTimeout: headerMs,
  handshakeTimeout: headerMs,
  requestTimeout: requestMs,
  keepAliveTimeout: idleMs,
  connectionsCheckingInterval: Math.min(1_000, headerMs / 2),
});

/** `webConfig` is called for each connection; whether the server uses TLS is fixed by the first call. */
type ListenOptions = ListenAddress &
  Readonly<{ app: Express; webConfig?: () => WebConfig; limits?: Partial<ConnectionLimits> }>;

/**
 * Serves `app` over HTTP, or over HTTPS when the web configuration says so.
 * @throws {ExporterError} `network` when it cannot listen on the address.
 */
export async function listen({ app, host, port, ...options }: ListenOptions): Promise<Listening> {
  const server = serverFor(app, options.webConfig ?? (() => openWeb), { ...defaultLimits, ...options.limits });
  const close = closer(server);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', cause => {
    const address = `${isIPv6(host ?? '') ? `[${host ?? ''}]` : (host ?? '')}:${String(port)}`;
    const code = 'code' in cause ? String(cause.code) : cause.name;
    reject(new ExporterError('network', `Could not listen on "${address}": ${reasons[code] ?? code}`, { cause }));
  });
  server.listen({ port, host }, resolve);
  await promise;
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new ExporterError('bug', 'A TCP server has no TCP address');
  return { address: bound.address, port: bound.port, close };
}

function serverFor(app: Express, webConfig: () => WebConfig, limits: ConnectionLimits) {
  const { tls } = webConfig();
  const timeouts = timeoutsOf(limits);
  const server =
    tls === undefined ? createServer(timeouts, app) : createTlsServer(app, { tls, timeouts }, () => webConfig().tls);
  server.maxConnections = limits.connections;
  server.timeout = limits.stalledMs;
  return server;
}

const reasons: Readonly<Record<string, string>> = {
  EACCES: 'this user has no permission for the port',
  EADDRINUSE: 'the address is already in use',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAI_AGAIN: 'the host name could not be resolved',
  ENOTFOUND: 'host name not found',
};

/** `server.close()` waits for connections that never send a request, so active requests are counted here. */
function closer(server: Pick<Server, 'on' | 'close' | 'closeAllConnections' | 'listening'>): Listening['close'] {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let active = 0;
  const closeIfIdle = (): void => {
    if (active === 0 && !server.listening) server.closeAllConnections();
  };
  server.on('request', (_, response: ServerResponse) => {
    active += 1;
    response.once('close', () => {
      active -= 1;
      closeIfIdle();
    });
  });
  return async () => {
    server.close(() => resolve());
    closeIfIdle();
    return closed;
  };
}
