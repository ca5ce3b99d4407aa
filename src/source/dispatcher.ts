import { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { buildConnector, type Dispatcher, EnvHttpProxyAgent, Pool } from 'undici';
import { ExporterError } from '../kernel/errors.js';
import type { RestSettings } from './options.js';

export type Connecting = Pick<
  RestSettings,
  'baseUrl' | 'connections' | 'connectTimeoutMs' | 'maxResponseBytes' | 'trust' | 'proxy'
> &
  Readonly<{
    /** Asked after every TLS handshake, before anything is sent: why the other side is not let in, if it is not. */
    refusal: (socket: TLSSocket) => string | undefined;
  }>;

/** Hands out the connections to a server; their authorities are as fresh as the call. */
export interface Connections {
  /** @throws {ExporterError} `network` when the authorities cannot be read. */
  fresh(): Promise<Dispatcher>;
  /** Cuts off what is under way. */
  destroy(): Promise<void>;
}

/** Connections are kept as long as the authorities that they were checked against stay the same. */
export function connections(connecting: Connecting): Connections {
  let held: Readonly<{ ca: string | undefined; dispatcher: Dispatcher }> | undefined;
  return {
    fresh: async () => {
      const ca = await readAuthorities(connecting);
      if (held === undefined || held.ca !== ca) {
        // What is under way may end, over a connection that was good when it was made.
        void held?.dispatcher.close();
        held = { ca, dispatcher: openDispatcher(connecting, ca) };
      }
      return held.dispatcher;
    },
    destroy: async () => held?.dispatcher.destroy(),
  };
}

async function readAuthorities({ trust }: Connecting): Promise<string | undefined> {
  if (trust.kind !== 'authorities' || trust.ca === undefined) return undefined;
  const ca = await trust.ca();
  if (holdsCertificate(ca)) return ca;
  throw new ExporterError('network', 'Could not use "tls.ca_file": it holds no certificate in PEM');
}

/** Node takes a text without any certificate for one that trusts nobody, and says nothing. */
function holdsCertificate(pem: string): boolean {
  try {
    return pem.includes('-----BEGIN') && new X509Certificate(pem).ca !== undefined;
  } catch {
    return false;
  }
}

/** Longer than the interval while a session is open, so that it is polled over one connection; shorter than http.sys waits (120 s). */
const idleConnectionMs = 20_000;

/** The deadline of a whole request is ours; undici's own ones would end a long answer that still flows. */
function openDispatcher(connecting: Connecting, ca: string | undefined): Dispatcher {
  const tls = tlsOptions(ca, connecting.connectTimeoutMs);
  const proxy = connecting.proxy?.url.reveal() ?? '';
  return new EnvHttpProxyAgent({
    // Texts, empty or not: what is left out, the library would look up in the environment of the process.
    httpProxy: proxy,
    httpsProxy: proxy,
    noProxy: connecting.proxy?.noProxy ?? '',
    proxyTunnel: true,
    connect: buildConnector(tls),
    requestTls: tls,
    proxyTls: { timeout: connecting.connectTimeoutMs },
    // A tunnel that is never answered would hold up all that wait for it for five minutes.
    clientFactory: (origin, options) =>
      new Pool(origin, Object.assign({}, options, { headersTimeout: connecting.connectTimeoutMs })),
    connections: connecting.connections,
    allowH2: false,
    keepAliveTimeout: idleConnectionMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    maxResponseSize: connecting.maxResponseBytes,
    factory: (origin, options) => new Pool(origin, Object.assign({}, options, guardedConnect(options, connecting))),
  });
}

/**
 * Node is told not to refuse certificates because we do it, before anything is sent: only so a certificate that is
 * refused can be told of, and one that is pinned be taken. A session that is resumed would skip the check of the host
 * name, so none is.
 */
const tlsOptions = (ca: string | undefined, timeout: number): buildConnector.BuildOptions => ({
  rejectUnauthorized: false,
  maxCachedSessions: 0,
  minVersion: 'TLSv1.2',
  ...(ca === undefined ? {} : { ca }),
  timeout,
  allowH2: false,
});

/** The way to connect that a pool was going to use, direct or through the proxy, with our check behind it. */
function guardedConnect(options: object, connecting: Connecting): Readonly<{ connect?: buildConnector.connector }> {
  const connect: unknown = 'connect' in options ? options.connect : undefined;
  return isConnector(connect) ? { connect: guarded(connect, connecting) } : {};
}

const isConnector = (value: unknown): value is buildConnector.connector => typeof value === 'function';

const guarded =
  (connect: buildConnector.connector, connecting: Connecting): buildConnector.connector =>
  (options, callback) => {
    connect(options, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      const why = socket instanceof TLSSocket ? connecting.refusal(socket) : undefined;
      if (why === undefined) return callback(null, socket);
      socket.destroy();
      const message = `Could not connect to "${hostOf(connecting.baseUrl)}": ${why}`;
      return callback(new ExporterError('network', message), null);
    });
  };

/** `host:port`, the port always. */
export const hostOf = ({ hostname, port, protocol }: URL): string =>
  `${hostname}:${port || (protocol === 'http:' ? '80' : '443')}`;
