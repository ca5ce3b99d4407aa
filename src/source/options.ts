import type { Clock, Random } from '../kernel/clock.js';
import { createSemaphore, type Semaphore } from '../kernel/semaphore.js';
import type { Log } from '../kernel/log.js';
import type { Secret } from '../kernel/secret.js';
import type { Trust } from './trust.js';

/** The path prefixes under which VB365 2.0 to 8.x serve their REST API. */
export const apiVersions = ['v2', 'v3', 'v4', 'v5', 'v6', 'v7', 'v8'] as const;
export type ApiVersion = (typeof apiVersions)[number];

/** Whether `version` is `first` or later. */
export const since = (version: ApiVersion, first: ApiVersion): boolean =>
  apiVersions.indexOf(version) >= apiVersions.indexOf(first);

/** What a request is for. Closed: each is an `operation` label. */
export type Operation = 'token' | 'probe' | 'sessions' | 'session' | 'events' | 'feed';

/** How a request ended: the class of its status, or `error` when there was no complete answer. */
export type StatusCode = '2xx' | '3xx' | '4xx' | '5xx' | 'error';

/** Called once per HTTP request, repetitions included, when its answer has been read or has failed. */
export type Observe = (operation: Operation, code: StatusCode, seconds: number) => void;

/** How to log in. The secret is read again for every login, so that one that has changed is picked up. */
export type Credentials = Readonly<{ secret: () => Promise<Secret> }> &
  (
    | Readonly<{ kind: 'password'; /** `DOMAIN\user` or `user@domain`. */ username: string }>
    | Readonly<{
        kind: 'assertion';
        /** Of the application in whose name the assertion, a JWT, is signed. */ clientId: string;
      }>
  );

/** A proxy that tunnels (`CONNECT`). The URL may hold credentials. */
export type Proxy = Readonly<{
  url: Secret;
  /** Hosts to reach without it, in the form of `NO_PROXY`. */ noProxy: string;
}>;

/** What is remembered of a server over restarts, as far as it was told; see `factNames`. */
export type VersionMemory = Readonly<{
  /** @throws {ExporterError} `store`. */
  recall: () => Promise<Readonly<{ apiVersion?: string; installationId?: string }>>;
  /** @throws {ExporterError} `store`. */
  keep: (apiVersion: ApiVersion) => Promise<void>;
}>;

/** What a REST source cannot do without. */
type Essentials = Readonly<{
  /** Scheme, host, port and, behind a reverse proxy, a path prefix. The rest of the URL is not used. */
  baseUrl: URL;
  /** `auto`: the one that is remembered, else the newest that the server serves. */
  apiVersion: ApiVersion | 'auto';
  credentials: Credentials;
  clock: Clock;
  random: Random;
}>;

/** What may be left out, because `defaults` has it. */
type Tuning = Readonly<{
  /** Events asked for at once; the API allows 1 to 10,000. */
  eventLimit: number;
  /** Sessions asked for at once; the API allows 1 to 10,000. */
  sessionLimit: number;
  /** A session list of more pages than this is an error. */
  maxPages: number;
  /** Connections to the server at most; kept open between requests. */
  connections: number;
  connectTimeoutMs: number;
  /** From sending a request to the last byte of its answer. */
  requestTimeoutMs: number;
  /** A longer answer is an error. */
  maxResponseBytes: number;
  userAgent: string;
  /** Where each request but a long poll waits for its place. */
  semaphore: Semaphore;
  /** A request that is not answered after so long gives its place back, and goes on. */
  placeMs: number;
  observe: Observe;
  trust: Trust;
  proxy: Proxy | undefined;
  /** Where a version that was detected is remembered; nowhere unless said. */
  memory: VersionMemory;
  log: Pick<Log, 'info' | 'warn'>;
}>;

export type RestOptions = Essentials & Partial<Tuning>;
/** The options with every gap filled. */
export type RestSettings = Essentials & Tuning;

/** Page sizes: the API's maximum is 10,000 since v5 (help center, "Pagination"); a page of events is kept ten times smaller for memory. */
const defaults: Omit<Tuning, 'semaphore'> = {
  eventLimit: 1000,
  sessionLimit: 10_000,
  maxPages: 10_000,
  connections: 4,
  connectTimeoutMs: 10_000,
  requestTimeoutMs: 60_000,
  maxResponseBytes: 256 * 1024 * 1024,
  userAgent: 'vb365-exporter',
  placeMs: 10_000,
  observe: () => undefined,
  trust: { kind: 'authorities', ca: undefined },
  proxy: undefined,
  memory: { recall: async () => ({}), keep: async () => undefined },
  log: { info: () => undefined, warn: () => undefined },
};

/** Fills the gaps of options. A source that is given no gate waits for nobody. */
export const settingsOf = (options: RestOptions): RestSettings => ({
  ...defaults,
  semaphore: createSemaphore(Infinity),
  ...options,
});
