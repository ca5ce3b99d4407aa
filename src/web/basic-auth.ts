import { compare } from 'bcryptjs';
import type { RequestHandler } from 'express';
import { hash } from 'node:crypto';
import type { WebConfig } from '../config/web-config.js';

type UserAndPassword = Readonly<{ name: string; password: string }>;

/** Compared when the user is unknown, so that the response takes as long as for a known one. Hash of a random text. */
const unknownUserHash = '$2b$10$ukL1hiY351j9QltxEcMRGOPUM2CHjHZAiia0Z2IncSXjXv6H22c7W';
/** Number of successful logins to cache: bcrypt is slow on purpose, and a scraper logs in every few seconds. */
const cacheSize = 100;

/** Checks passwords one at a time, so that guessing cannot use up the CPU; a cached login does not wait. */
export class PasswordCheck {
  readonly #cache = new Set<string>();
  #last: Promise<unknown> = Promise.resolve();

  /** Whether `users` has this name with this password. */
  async isRight(users: WebConfig['users'], { name, password }: UserAndPassword): Promise<boolean> {
    const userHash = Object.hasOwn(users, name) ? users[name] : undefined;
    // A digest, so that the cache holds no passwords.
    const key = hash('sha256', JSON.stringify([name, password, userHash]), 'base64');
    if (this.#cache.has(key)) return true;
    const compared = this.#last.then(async () => compare(password, userHash ?? unknownUserHash));
    this.#last = compared.catch(() => undefined);
    const isRight = (await compared) && userHash !== undefined;
    if (isRight && this.#cache.size >= cacheSize) this.#cache.clear();
    if (isRight) this.#cache.add(key);
    return isRight;
  }
}

/** Requires a login where `users` has any; `openPaths` need none. */
export function basicAuth(users: () => WebConfig['users'], openPaths: ReadonlySet<string>): RequestHandler {
  const check = new PasswordCheck();
  return async (request, response, next) => {
    const known = users();
    if (Object.keys(known).length === 0 || openPaths.has(request.path)) return next();
    const credentials = parseCredentials(request.headers.authorization ?? '');
    if (credentials !== undefined && (await check.isRight(known, credentials))) return next();
    response.set('www-authenticate', 'Basic realm="vb365-exporter", charset="UTF-8"');
    response.status(401).type('text').send('Unauthorized\n');
  };
}

/** Parses `Basic ...` (RFC 7617); undefined for anything else. */
function parseCredentials(header: string): UserAndPassword | undefined {
  const [, encoded = ''] = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header) ?? [];
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
