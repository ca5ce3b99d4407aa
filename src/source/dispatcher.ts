import { X509Certificate } from 'node:crypto';
import { TLSSocket } from 'node:tls';
import { Agent, buildConnector, type Dispatcher, interceptors, Pool, ProxyAgent } from 'undici';
import { hostOf } from '../config/proxy.js';
import { ExporterError } from '../kernel/errors.js';
import { longestAnswerBytes } from './answer-limits.js';
import type { RestSettings } from './options.js';

type PoolOptions = Pick<RestSettings, 'baseUrl' | 'connections' | 'connectTimeoutMs' | 'trust' | 'proxy'> &
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
  /** How many connections to the server have been opened so far. */
  opened(): number;
  /** Runs a request on a connection that nothing else uses, and closes it. @throws as `dispatcher`, and as `run`. */
  withNewConnection<T>(run: (dispatcher: Dispatcher) => Promise<T>): Promise<T>;
  /** Aborts the requests in flight. */
  destroy(): Promise<void>;
}

export function createConnectionPool(settings: PoolOptions): ConnectionPool {
  let held: Readonly<{ ca: string | undefined; dispatcher: Dispatcher }> | undefined;
  let opened = 0;
  const options = {
    ...settings,
    onConnect: () => void (opened += 1),
  };
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
    opened: () => opened,
    withNewConnection: async run => {
      const dispatcher = openDispatcher(options, await readAuthorities(options));
      return run(dispatcher).finally(() => void dispatcher.destroy());
    },
    destroy: async () => held?.dispatcher.destroy(),
  };
}

/** Options of a pool that counts its connections. */
type CountedPool = PoolOptions & Readonly<{ onConnect: () => void }>;

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
function openDispatcher(options: CountedPool, ca: string | undefined): Dispatcher {
  const tls: buildConnector.BuildOptions = {
    rejectUnauthorized: false,
    // A resumed session would skip the check of the host name.
    maxCachedSessions: 0,
    minVersion: 'TLSv1.2',
    ...(ca === undefined ? {} : { ca }),
    timeout: options.connectTimeoutMs,
    allowH2: false,
  };
  const common = {
    connect: buildConnector(tls),
    connections: options.connections,
    allowH2: false,
    keepAliveTimeout: idleConnectionMs,
    headersTimeout: 0,
    bodyTimeout: 0,
    factory: (origin: string | URL, poolOptions: object) =>
      new Pool(origin, Object.assign({}, poolOptions, guardedConnect(poolOptions, options))),
  };
  const decoded = interceptors.decompress({ skipErrorResponses: false, maxSize: longestAnswerBytes });
  if (options.proxy === undefined) return new Agent(common).compose(decoded);
  return new ProxyAgent({
    ...common,
    uri: options.proxy.url.reveal(),
    proxyTunnel: true,
    requestTls: tls,
    proxyTls: { timeout: options.connectTimeoutMs },
    // Without a timeout a tunnel that is never answered blocks all requests that wait for it for five minutes.
    clientFactory: (origin, poolOptions) =>
      new Pool(origin, Object.assign({}, poolOptions, { headersTimeout: options.connectTimeoutMs })),
  }).compose(decoded);
}

/** Wraps the connector of a pool, direct or through the proxy. */
function guardedConnect(poolOptions: object, { refusal, onConnect, baseUrl }: CountedPool) {
  const connect: unknown = 'connect' in poolOptions ? poolOptions.connect : undefined;
  if (!isConnector(connect)) return {};
  const guarded: buildConnector.connector = (target, callback) =>
    connect(target, (...[error, socket]) => {
      if (error !== null) return callback(error, null);
      const why = socket instanceof TLSSocket ? refusal(socket) : undefined;
      if (why === undefined) {
        onConnect();
        return callback(null, socket);
      }
      socket.destroy();
      return callback(new ExporterError('network', `Could not connect to "${hostOf(baseUrl)}": ${why}`), null);
    });
  return { connect: guarded };
}

const isConnector = (value: unknown): value is buildConnector.connector => typeof value === 'function';
