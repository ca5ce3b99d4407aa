import type { RequestHandler } from 'express';
import { hash } from 'node:crypto';
import type { WebConfig } from '../config/web-config.js';
import { createSemaphore } from '../kernel/semaphore.js';
import type { LoginRefusal } from '../model/labels.js';
import { hasHash } from './password-thread.js';

type UserAndPassword = Readonly<{ name: string; password: string }>;

/** `busy`: too many passwords are being checked. `gone`: the client did not wait. */
type LoginVerdict = 'right' | 'wrong' | 'busy' | 'gone';

/** Number of successful logins to cache: bcrypt is slow on purpose, and a scraper logs in every few seconds. */
const cacheSize = 100;
/** Passwords that are checked or wait for it. Others are refused at once. */
const maxInFlight = 8;

/** Checks passwords one at a time, in a thread; a cached login does not wait. A refusal takes the same time for every name. */
export class PasswordCheck {
  readonly #cache = new Set<string>();
  readonly #oneCheck = createSemaphore(1);
  #inFlight = 0;

  /** Whether `users` has this name with this password. Does no more work once `signal` aborts. */
  async verdict(
    users: WebConfig['users'],
    { name, password }: UserAndPassword,
    signal: AbortSignal,
  ): Promise<LoginVerdict> {
    const userHash = Object.hasOwn(users, name) ? users[name] : undefined;
    // A digest, so that the cache holds no passwords.
    const key = hash('sha256', JSON.stringify([name, password, userHash]), 'base64');
    if (this.#cache.has(key)) return 'right';
    if (this.#inFlight >= maxInFlight) return 'busy';
    this.#inFlight += 1;
    try {
      return await this.#compare(key, jobFor(password, userHash, Object.values(users)), signal);
    } catch (thrown) {
      if (signal.aborted) return 'gone';
      throw thrown;
    } finally {
      this.#inFlight -= 1;
    }
  }

  async #compare(key: string, job: Job, signal: AbortSignal): Promise<LoginVerdict> {
    const release = await this.#oneCheck.acquire(signal);
    try {
      // Several scrapers may log in with the same password at once.
      if (this.#cache.has(key)) return 'right';
      if (!(await hasHash(job, signal)) || !job.isUser) return 'wrong';
      if (this.#cache.size >= cacheSize) this.#cache.clear();
      this.#cache.add(key);
      return 'right';
    } finally {
      release();
    }
  }
}

type Job = Parameters<typeof hasHash>[0] & Readonly<{ isUser: boolean }>;

/**
 * An unknown user is compared with a hash of the highest cost. A wrong password of a user with a lower cost is compared
 * with hashes of that cost and each above it: together they take as long, because each cost doubles the time.
 */
function jobFor(password: string, userHash: string | undefined, hashes: readonly string[]): Job {
  const highest = Math.max(...hashes.map(costOf));
  const cost = userHash === undefined ? highest : costOf(userHash);
  const padding = Array.from({ length: highest - cost }, (_, index) => nobodysHash(cost + index));
  return { password, hash: userHash ?? nobodysHash(highest), padding, isUser: userHash !== undefined };
}

const costOf = (bcryptHash: string): number => Number(bcryptHash.slice(4, 6));

/** Hash of a random text. */
const nobodysHash = (cost: number): string =>
  `$2b$${String(cost).padStart(2, '0')}$ukL1hiY351j9QltxEcMRGOPUM2CHjHZAiia0Z2IncSXjXv6H22c7W`;

type BasicAuthOptions = Readonly<{
  users: () => WebConfig['users'];
  /** Paths that need no login. */
  openPaths: ReadonlySet<string>;
  /** Called for each refused request. */
  refused: (reason: LoginRefusal, address: string) => void;
}>;

/** Requires a login where there are users. */
export function basicAuth({ users, openPaths, refused }: BasicAuthOptions): RequestHandler {
  const check = new PasswordCheck();
  return async (request, response, next) => {
    const known = users();
    if (Object.keys(known).length === 0 || openPaths.has(request.path)) return next();
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    const credentials = parseCredentials(request.headers.authorization ?? '');
    const verdict = credentials === undefined ? 'missing' : await check.verdict(known, credentials, gone.signal);
    if (verdict === 'right') return next();
    if (verdict === 'gone') return;
    refused(verdict, request.socket.remoteAddress ?? '');
    response.type('text');
    if (verdict === 'busy') return void response.status(503).set('retry-after', '1').send('Too many logins\n');
    response.set('www-authenticate', 'Basic realm="vb365-exporter", charset="UTF-8"');
    response.status(401).send('Unauthorized\n');
  };
}

/** Parses `Basic ...` (RFC 7617); undefined for anything else. */
function parseCredentials(header: string): UserAndPassword | undefined {
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header) ?? [];
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
