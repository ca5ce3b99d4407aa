import type { Express } from 'express';
import type { Server as HttpServer, ServerResponse } from 'node:http';
import type { Server as HttpsServer } from 'node:https';
import { isIPv6 } from 'node:net';
import { ExporterError } from '../kernel/errors.js';
import { createWebServer } from './web-server.js';
import { openWeb, type WebConfig } from './web-config.js';

/** Where to listen. Host undefined: on every address of the machine. Port 0: any that is free. */
export type ListenAddress = Readonly<{ host: string | undefined; port: number }>;

/** A server that listens. */
export interface Listening {
  readonly address: string;
  readonly port: number;
  /** Takes no more requests, resolves when those in hand are answered. Connections that ask nothing are cut. */
  close(): Promise<void>;
}

const addressPattern = /^(?:\[([^\]]+)\]|([^\s:[\]]*)):(\d{1,5})$/;

/**
 * Reads a listen address as exporter-toolkit spells it: `:10365`, `0.0.0.0:10365`, `[::1]:10365`, `localhost:10365`.
 * @throws {ExporterError} `config`.
 */
export function parseListenAddress(text: string): ListenAddress {
  const [, ipv6, host, digits] = addressPattern.exec(text) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535 || (ipv6 !== undefined && !isIPv6(ipv6)))
    throw new ExporterError(
      'config',
      `Could not read the listen address "${text}": it must be like ":10365", "0.0.0.0:10365", "[::1]:10365" or "localhost:10365"`,
    );
  return { host: ipv6 ?? (host === '' ? undefined : host), port };
}

/** What to serve, and how it is protected: asked for anew at each connection. */
export type Served = ListenAddress & Readonly<{ app: Express; webConfig?: () => WebConfig }>;

/**
 * Serves `app` over HTTP, or over HTTPS when the web configuration says so.
 * @throws {ExporterError} `network` when the address cannot be had.
 */
export async function listen({ app, host, port, webConfig = () => openWeb }: Served): Promise<Listening> {
  const server = createWebServer(app, webConfig);
  const close = closer(server);
  await listening(server, { host, port });
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new ExporterError('bug', 'A TCP server has no TCP address');
  return { address: bound.address, port: bound.port, close };
}

type Server = HttpServer | HttpsServer;

async function listening(server: Server, { host, port }: ListenAddress): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', cause => {
    reject(new ExporterError('network', `Could not listen on "${written({ host, port })}": ${why(cause)}`, { cause }));
  });
  server.listen({ port, ...(host === undefined ? {} : { host }) }, resolve);
  return promise;
}

const written = ({ host = '', port }: ListenAddress): string => `${isIPv6(host) ? `[${host}]` : host}:${String(port)}`;

const causes: Readonly<Record<string, string>> = {
  EACCES: 'this user may not use the port',
  EADDRINUSE: 'the address is already in use',
  EADDRNOTAVAIL: 'this machine has no such address',
  EAI_AGAIN: 'the host name cannot be looked up',
  ENOTFOUND: 'the host name is not known',
};

function why(error: Error): string {
  const code = 'code' in error ? String(error.code) : error.name;
  return causes[code] ?? code;
}

/** Node waits on close for connections on which nothing was ever asked; so we count what is in hand ourselves. */
function closer(server: Server): Listening['close'] {
  const { promise: closed, resolve } = Promise.withResolvers<void>();
  let inHand = 0;
  const cut = (): void => {
    if (inHand === 0 && !server.listening) server.closeAllConnections();
  };
  server.on('request', (_, response: ServerResponse) => {
    inHand += 1;
    response.once('close', () => {
      inHand -= 1;
      cut();
    });
  });
  return async () => {
    server.close(() => resolve());
    cut();
    return closed;
  };
}
