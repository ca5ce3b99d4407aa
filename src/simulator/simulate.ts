import { createServer, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Express } from 'express';
import type { Clock } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { milliseconds } from '../model/time.js';
import { type HistoryOptions, writeHistory, writeVisit } from './history.js';
import { LiveStream, type LiveOptions } from './live.js';
import { type SimulatedVersion, simulatedVersions, defaultQuirks, type Quirks } from './quirks.js';
import { dice, uuidOf } from './random.js';
import type { Instance } from './routes.js';
import { generatedOwners } from './owners.js';
import { createApp } from './server.js';
import { Tokens } from './tokens.js';
import { type Intercept, Traffic } from './traffic.js';
import { type SimSession, World } from './world.js';

/** Options of a simulated server. All but the clock have a default. */
export type SimulateOptions = Readonly<{
  /** The server's: it dates answers, ends tokens and drives the live stream. */
  clock: Clock;
  /** Determines all generated data. Default 1. */
  seed?: number;
  /** Default 0: any free port. */
  port?: number;
  /** Default 127.0.0.1. */
  host?: string;
  /** Versions that are served; others answer 404. Default all. */
  versions?: readonly SimulatedVersion[];
  /** Default `simulator`. Letter case does not count. */
  username?: string;
  /** Default `simulator`. */
  password?: string;
  /** Applications that may log in with an assertion (JWT), by client id. Default: none. */
  clients?: Readonly<Record<string, string>>;
  /** Key and certificate chain for HTTPS, PEM. Default: plain HTTP. */
  tls?: Readonly<{ key: string; cert: string }>;
  /** Default: an id made from the seed, and a product version that serves the newest of `versions`. */
  instance?: Partial<Instance>;
  /** Default: an empty one. */
  world?: World;
  /** Past sessions. Default: none. */
  history?: HistoryOptions;
  /** Generates live sessions as time passes. Default: none. */
  live?: LiveOptions;
  quirks?: Partial<Quirks>;
  intercept?: Intercept;
}>;

/** A running simulated server. */
export interface Simulator {
  /** `http://127.0.0.1:<port>`, or `https:`; without a slash at the end. */
  readonly url: string;
  /** The truth; see `advance`. */
  readonly world: World;
  readonly traffic: Traffic;
  /** Advances the live stream to now, as every request does; call it before reading `world`. */
  readonly advance: () => void;
  /** Replaces the interceptor, or removes it. */
  readonly intercept: (hook: Intercept | undefined) => void;
  /** Changes version or installation id: an upgrade, or another installation at the same address. */
  readonly become: (instance: Partial<Instance>) => void;
  /** Ends all access tokens, and refresh tokens as well when `refresh` is true. */
  readonly revokeTokens: (refresh?: boolean) => void;
  /** Stops at once and closes all connections. */
  readonly close: () => Promise<void>;
}

/** Builds seen in the wild, per newest version they serve (v6 and older: assumed). Source: vb365-rest.md 1.1. */
const builds: Readonly<Record<SimulatedVersion, string>> = {
  2: '2.0.0.567',
  3: '3.0.0.422',
  4: '4.0.0.1553',
  5: '5.0.0.1061',
  6: '6.0.0.367',
  7: '7.0.0.2911',
  8: '8.1.0.305',
};

/**
 * Starts a simulated VB365 server.
 * @throws {ExporterError} `network` when it cannot listen on the port.
 */
export async function simulate(options: SimulateOptions): Promise<Simulator> {
  const { clock, seed = 1, versions = simulatedVersions } = options;
  const quirks = { ...defaultQuirks, ...options.quirks };
  const { world, advance } = history(options, { seed, quirks });
  for (const owner of generatedOwners(seed)) world.addOwner(owner);
  const traffic = new Traffic();
  const tokens = new Tokens(clock, dice(seed, 9), { ...credentials(options), ...quirks });
  let instance = instanceOf(options, seed, versions);
  const context = {
    world,
    clock,
    advance,
    quirks,
    tokens,
    instance: () => instance,
    arrive: arrivals(world, clock, { seed, quirks }),
  };
  let hook = options.intercept;
  const app = createApp({ context, versions, traffic, clock, advance, intercept: () => hook });
  const server = await listen(app, options);
  return {
    url: `${options.tls === undefined ? 'http' : 'https'}://${authorityOf(server)}`,
    world,
    traffic,
    advance,
    intercept: next => {
      hook = next;
    },
    become: next => {
      instance = { ...instance, ...next };
    },
    revokeTokens: (refresh = false) => tokens.revokeAll(refresh),
    close: async () => close(server),
  };
}

/** The world with its past, and the function that advances it. */
function history(
  options: SimulateOptions,
  { seed, quirks }: { seed: number; quirks: Quirks },
): { world: World; advance: () => void } {
  const { clock, world = new World(seed) } = options;
  const now = milliseconds(clock.now());
  if (options.history !== undefined) writeHistory(world, options.history, { seed, quirks, now });
  const live = options.live && new LiveStream(options.live, { seed, quirks, startAt: now });
  const advance = (): void => live?.advance(world, milliseconds(clock.now()));
  advance();
  return { world, advance };
}

function arrivals(world: World, clock: Clock, { seed, quirks }: { seed: number; quirks: Quirks }): () => void {
  let count = 0;
  return () => {
    for (const { id } of oldestStopped(world, quirks.purgesPerPage)) world.purgeSession(id);
    for (let left = quirks.arrivalsPerPage; left > 0; left -= 1) {
      writeVisit(world, { seed, quirks, number: 2_000_000_000 + count }, milliseconds(clock.now()));
      count += 1;
    }
  };
}

const credentials = ({ username = 'simulator', password = 'simulator', clients = {} }: SimulateOptions) => ({
  username,
  password,
  clients,
});
const oldestStopped = (world: World, count: number): readonly SimSession[] =>
  count === 0
    ? []
    : world
        .sessions()
        .filter(({ state }) => state === 'Stopped')
        .slice(-count);

function instanceOf(options: SimulateOptions, seed: number, versions: readonly SimulatedVersion[]): Instance {
  const newest = versions.reduce((high, version) => (version > high ? version : high), versions[0] ?? 8);
  return { installationId: uuidOf(seed, -10), version: builds[newest], ...options.instance };
}

async function listen(app: Express, { port = 0, host = '127.0.0.1', tls }: SimulateOptions): Promise<Server> {
  const server = tls === undefined ? createServer(app) : createTlsServer(tls, app);
  await new Promise<void>((resolve, reject) => {
    server.once('error', cause => {
      const message = `Could not listen on "${host}:${String(port)}": ${cause.message}`;
      reject(new ExporterError('network', message, { cause }));
    });
    server.listen(port, host, resolve);
  });
  return server;
}

/** Host and port as a URL has them. */
function authorityOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === 'string') throw new ExporterError('bug', 'Could not read the port in use');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return `${host}:${String(address.port)}`;
}

async function close(server: Server): Promise<void> {
  await new Promise<void>(resolve => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
