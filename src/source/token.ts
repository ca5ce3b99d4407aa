import { z } from 'zod';
import { Secret } from '../kernel/secret.js';

/** What `POST /vN/token` grants. */
export type Token = Readonly<{
  access: Secret;
  refresh: Secret | undefined;
  /** How long it lives from when it was asked for, in ms. */
  lifeMs: number;
}>;

/** Lives of tokens are set by the administrator (60 min unless changed); this is for a server that does not say. */
const unsaidLifeSeconds = 600;

/** OAuth libraries also write `expires_in` as text. The access token goes into a header, so it is visible ASCII. */
const wireToken = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  refresh_token: z.string().nullish(),
  expires_in: z.coerce.number().positive().catch(unsaidLifeSeconds),
});

/** Undefined when the answer holds no token. */
export function decodeToken(json: unknown): Token | undefined {
  const parsed = wireToken.safeParse(json);
  if (!parsed.success) return undefined;
  const { access_token: access, refresh_token: refresh, expires_in: lifeSeconds } = parsed.data;
  return {
    access: new Secret(access),
    refresh: refresh === undefined || refresh === null || refresh === '' ? undefined : new Secret(refresh),
    lifeMs: lifeSeconds * 1000,
  };
}

/** When to renew a token, in ms after it was asked for: a minute before its end, or half way through a short life. */
export const renewAfterMs = (lifeMs: number): number => (lifeMs < 120_000 ? lifeMs / 2 : lifeMs - 60_000);
