import { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { ExporterError } from '../kernel/errors.js';
import type { RestSettings } from './options.js';

export type PoolOptions = Pick<
  RestSettings,
  'baseUrl' | 'connections' | 'connectTimeoutMs' | 'maxResponseBytes' | 'trust' | 'proxy'
> &
  Readonly<{
    /** Called after each TLS handshake, before anything is sent. Returns why to refuse the peer, undefined to accept it. */
    refusal: (socket: TLSSocket) => string | undefined;
  }>;

/** The kept-alive connections to a server. */
export interface ConnectionPool {
  /**
   * Reads the authorities first; new ones replace the connections, so that these were all verified against them.
   * @throws {ExporterError} `network` when the authorities cannot be read.
   */
  dispatcher(): Promise<Dispatcher>;
  /** Aborts the requests in flight. */
  destroy(): Promise<void>;
}

export function createConnectionPool(options: PoolOptions): ConnectionPool {
  let held: Readonly<{ ca: string | undefined; dispatcher: Dispatcher }> | undefined;
  return {
    dispatcher: async () => {
      const ca = await readAuthorities(options);
      if (held === undefined || held.ca !== ca) {
        // Requests in flight finish on connections that were good when they were made.
        void held?.dispatcher.close();
        held = { ca, dispatcher: openDispatcher(options, ca) };
      }
      return held.dispatcher;
    },
    destroy: async () => held?.dispatcher.destroy(),
  };
}

async function readAuthorities({ trust }: PoolOptions): Promise<string | undefined> {
  if (trust.kind !== 'authorities' || trust.ca === undefined) return undefined;
  const ca = await trust.ca();
  if (holdsCertificate(ca)) return ca;
  throw new ExporterError('network', 'Could not use "tls.ca_file": it holds no certificate in PEM', {
    details: { file: 'content' },
  });
}

/** Node trusts no authority if given a text without certificates. */
function holdsCertificate(pem: string): boolean {
  try {
    return pem.includes('-----BEGIN') && new X509Certificate(pem).ca !== undefined;
  } catch {
    return false;
  }
}

/** Longer than the poll interval of open sessions, so that polls share a connection; shorter than http.sys waits (120 s). */
const idleConnectionMs = 20_000;

/**
 * The transport bounds whole requests; the timeouts of undici would cut long responses that still flow. Node accepts every
 * certificate because `guardedConnect` checks it before anything is sent: only so can a refused certificate be reported, and a
 * pinned one be accepted.
 */
function openDispatcher(options: PoolOptions, ca: string | undefined): Dispatcher {
  const tls: buildConnector.BuildOptions = {
    rejectUnauthorized: false,
    // A resumed session would skip the check of the host name.
    maxCachedSessions: 0,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    timeout: options.connectTimeoutMs,
    allowH2: false,
  };
  const proxy = options.proxy?.url.reveal() ?? '';
  return new EnvHttpProxyAgent({
    // Always set, if only to `''`: the library reads the environment of the process for what is left out.
    httpProxy: proxy,
    httpsProxy: proxy,
    noProxy: options.proxy?.noProxy ?? '',
    proxyTunnel: true,
    connect: buildConnector(tls),
    requestTls: tls,
    proxyTls: { timeout: options.connectTimeoutMs },
    // Without a timeout a tunnel that is never answered blocks all requests that wait for it for five minutes.
    clientFactory: (origin, poolOptions) =>
      new Pool(origin, Object.assign({}, poolOptions, { headersTimeout: options.connectTimeoutMs })),
    connections: options.connections,
    allowH2: false,
    keepAliveTimeout: idleConnectionMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: options.maxResponseBytes,
    factory: (origin, poolOptions) =>
      new Pool(origin, Object.assign({}, poolOptions, guardedConnect(poolOptions, options))),
  });
}

/** Wraps the connector of a pool, direct or through the proxy. */
function guardedConnect(poolOptions: object, { refusal, baseUrl }: PoolOptions) {
  const connect: unknown = 'connect' in poolOptions ? poolOptions.connect : undefined;
  if (!isConnector(connect)) return {};
  const guarded: buildConnector.connector = (target, callback) =>
    connect(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      const why = socket instanceof TLSSocket ? refusal(socket) : undefined;
      if (why === undefined) return callback(null, socket);
      socket.destroy();
      return callback(new ExporterError('network', `Could not connect to "${hostOf(baseUrl)}": ${why}`), null);
    });
  return { connect: guarded };
}

const isConnector = (value: unknown): value is buildConnector.connector => typeof value === 'function';

/** `host:port`, always with the port. */
export const hostOf = ({ hostname, port, protocol }: URL): string =>
  `${hostname}:${port || (protocol === 'http:' ? '80' : '443')}`;
