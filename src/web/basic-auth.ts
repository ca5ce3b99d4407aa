import { compare } from 'bcryptjs';
import type { RequestHandler } from 'express';
import { createHash } from 'node:crypto';
import type { WebConfig } from './web-config.js';

/** Checks names and passwords. */
export interface PasswordCheck {
  /** Whether `users` has this name with this password. */
  isRight(users: WebConfig['users'], credentials: Credentials): Promise<boolean>;
}

type Credentials = Readonly<{ name: string; password: string }>;

/** Compared with when the name is unknown, so that an answer takes as long as for a known one. Hash of a random text. */
const nobody = '$2b$10$ukL1hiY351j9QltxEcMRGOPUM2CHjHZAiia0Z2IncSXjXv6H22c7W';
/** Right answers that are remembered: bcrypt is slow on purpose, and a scraper asks every few seconds. */
const kept = 100;

/** One comparison at a time, so that guessing cannot take the processor away, and keeps nobody waiting who is known. */
export function passwordCheck(): PasswordCheck {
  const right = new Set<string>();
  let last: Promise<unknown> = Promise.resolve();
  const remember = (key: string): void => {
    right.add(key);
    for (const oldest of [...right].slice(0, Math.max(0, right.size - kept))) right.delete(oldest);
  };
  return {
    isRight: async (users, credentials) => {
      const hash = Object.hasOwn(users, credentials.name) ? users[credentials.name] : undefined;
      const key = digest(credentials, hash);
      if (right.has(key)) return true;
      const turn = last.then(async () => judge(credentials, hash));
      last = turn.catch(() => undefined);
      const isRight = await turn;
      if (isRight) remember(key);
      return isRight;
    },
  };
}

async function judge({ password }: Credentials, hash: string | undefined): Promise<boolean> {
  const matches = await compare(password, hash ?? nobody);
  return matches && hash !== undefined;
}

/** Neither name nor password is kept as it is. */
const digest = ({ name, password }: Credentials, hash = ''): string =>
  createHash('sha256')
    .update(JSON.stringify([name, password, hash]))
    .digest('base64');

/** Lets in who may come in; `free` paths are for everybody. */
export const authenticating =
  (users: () => WebConfig['users'], check: PasswordCheck, free: ReadonlySet<string>): RequestHandler =>
  async (request, response, next) => {
    const known = users();
    if (Object.keys(known).length === 0 || free.has(request.path)) return next();
    const credentials = readCredentials(request.headers.authorization ?? '');
    if (credentials !== undefined && (await check.isRight(known, credentials))) return next();
    response.set('www-authenticate', 'Basic realm="vb365-exporter", charset="UTF-8"');
    response.status(401).type('text').send('Unauthorized\n');
  };

/** Reads `Basic ...` (RFC 7617); undefined when it is something else. */
function readCredentials(header: string): Credentials | undefined {
  const encoded = /^basic +([A-Za-z0-9+/=_-]+) *$/i.exec(header)?.[1];
  if (encoded === undefined) return undefined;
  const text = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  return colon === -1 ? undefined : { name: text.slice(0, colon), password: text.slice(colon + 1) };
}
