import type { ProxyConfig } from '../config/proxy.js';
import type { Clock, Random } from '../kernel/clock.js';
import type { Log } from '../kernel/log.js';
import type { Secret } from '../kernel/secret.js';
import { createSemaphore, type Semaphore } from '../kernel/semaphore.js';
import type { ApiVersion } from '../model/api-versions.js';
import type { ApiCode, ApiOperation, OwnerLookupOutcome } from '../model/labels.js';
import { type AnswerBudget, type AnswerLimits, answerLimits, createAnswerBudget } from './answer-limits.js';
import type { Trust } from './trust.js';

/** How to log in. The secret is read for every login, so that it can change. */
export type Credentials = Readonly<{ secret: () => Promise<Secret> }> &
  (
    | Readonly<{ kind: 'password'; /** `DOMAIN\user` or `user@domain`. */ username: string }>
    | Readonly<{ kind: 'assertion'; /** The application that the assertion (JWT) is for. */ clientId: string }>
  );

/** Remembers the API version of a server across restarts; see `factNames`. */
export type VersionMemory = Readonly<{
  /** @throws {ExporterError} `store`. */
  recall: () => Promise<Readonly<{ apiVersion?: string; installationId?: string }>>;
  /** @throws {ExporterError} `store`. */
  keep: (apiVersion: ApiVersion) => Promise<void>;
}>;

type Essentials = Readonly<{
  /** Scheme, host, port and, behind a reverse proxy, a path prefix. The rest of the URL is not used. */
  baseUrl: URL;
  /** `auto`: the remembered version, else the newest that the server serves. */
  apiVersion: ApiVersion | 'auto';
  credentials: Credentials;
  clock: Clock;
  random: Random;
}>;

/** Pages: the API allows 1 to 10,000 rows since v5 (help center, "Pagination"). */
const limits = {
  /** Events per page; ten times fewer than the maximum, to save memory. */
  eventLimit: 1000,
  /** Sessions per page. */
  sessionLimit: 2_500,
  /** Maximum number of connections: enough that requests without an answer leave some for the others. */
  connections: 64,
  connectTimeoutMs: 10_000,
  /** From sending a request to the last byte of its response. */
  requestTimeoutMs: 60_000,
  /** A GET without a response after this time is sent once more; the first response counts. */
  repeatMs: 5_000,
  /** A request that a whole server waits for is logged after this time. */
  lateLogMs: 10_000,
  /** A request without a response after this time releases the semaphore, and continues. */
  semaphoreHoldMs: 10_000,
  /** How long a page of events waits for the names of owners that it is the first to mention. */
  ownerWaitMs: 1_000,
  /** From sending the request for an owner to its answer; below `repeatMs`, so that it is sent once. */
  ownerTimeoutMs: 4_000,
  /** How often the look-up of an owner is attempted before others wait. */
  ownerAttempts: 1,
};

/** Options with a default. */
type Tuning = Readonly<typeof limits> &
  Readonly<{
    userAgent: string;
    /** Limits the requests in flight, except long polls. Default: no limit. */
    semaphore: Semaphore;
    /** The limits of an answer with that many rows. */
    answerLimits: (rows: number) => AnswerLimits;
    /** Default: its own. */
    answerBudget: AnswerBudget;
    /** Called once per HTTP request, retries included, when its response is complete or it has failed. */
    observe: (operation: ApiOperation, code: ApiCode, seconds: number) => void;
    /** Whether to ask the server for the names of owners (v8). */
    resolveOwners: boolean;
    /** Called when the look-up of an owner has ended. */
    ownerLookedUp: (result: OwnerLookupOutcome) => void;
    /** Called for each owner of a page about whom the server has not answered. */
    ownerUnanswered: (key: string) => void;
    /** Called when the server has refused a login, which then waits for it. Never rejects. */
    loginRefused: () => Promise<void>;
    trust: Trust;
    proxy: ProxyConfig | undefined;
    /** Default: nothing is remembered. */
    memory: VersionMemory;
    log: Pick<Log, 'info' | 'warn'>;
  }>;

export type RestOptions = Essentials & Partial<Tuning>;
export type RestSettings = Essentials & Tuning;

/** Fills in the defaults. */
export const settingsOf = (options: RestOptions): RestSettings => ({
  ...limits,
  userAgent: 'vb365-exporter',
  semaphore: createSemaphore(Infinity),
  answerLimits,
  answerBudget: createAnswerBudget(),
  observe: () => undefined,
  resolveOwners: false,
  ownerLookedUp: () => undefined,
  ownerUnanswered: () => undefined,
  loginRefused: async () => undefined,
  trust: { kind: 'authorities', ca: undefined },
  proxy: undefined,
  memory: { recall: async () => ({}), keep: async () => undefined },
  log: { info: () => undefined, warn: () => undefined },
  ...options,
});
