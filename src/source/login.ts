import { z } from 'zod';
import type { Clock } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { Secret } from '../kernel/secret.js';
import type { Credentials } from './options.js';
import { failure, okJson } from './request-errors.js';
import type { Answer } from './transport.js';

/** An access token and when to renew it (monotonic clock) and when it expires (epoch ms), by our clocks. */
export type AccessToken = Readonly<{
  access: Secret;
  refresh: Secret | undefined;
  renewMs: number;
  endsAtMs: number;
}>;

type LoginForm = Readonly<Record<string, string>>;

/** `send` posts a form to the token endpoint; no caller's signal aborts it. */
export type LoginOptions = Readonly<{
  send: (form: LoginForm) => Promise<Answer>;
  credentials: Credentials;
  clock: Clock;
}>;

/** Exchanges a refresh token. Undefined when the server refuses it. */
export async function refresh({ send, clock }: LoginOptions, held: Secret): Promise<AccessToken | undefined> {
  const answer = await send({ grant_type: 'refresh_token', refresh_token: held.reveal() });
  return refusesToken(answer.status) ? undefined : tokenOf(answer, clock);
}

/** Any 4xx means that the refresh token is of no use here, except those that ask the client to wait. */
const refusesToken = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;

/** Waits after the first, second, and every further refusal, in ms: below usual lock-out rules (5 to 10 in 10 to 30 min). */
const refusalWaitsMs = [60_000, 600_000, 1_800_000] as const;

type Refusal = Readonly<{ count: number; untilMs: number; secret: Secret; error: ExporterError }>;

/**
 * Logs in with the secret, which it reads each time. During the wait after a refusal it throws the same error without a
 * request; a secret that has changed is tried at once.
 */
export function createLogin({ send, credentials, clock }: LoginOptions) {
  let refusal: Refusal | undefined;

  function refuse(secret: Secret, answer: Answer): ExporterError {
    const count = refusal?.secret.equals(secret) === true ? refusal.count + 1 : 1;
    const waitMs = refusalWaitsMs[Math.min(count, refusalWaitsMs.length) - 1] ?? refusalWaitsMs[2];
    const error = refused(credentials, answer);
    refusal = { count, untilMs: clock.monotonic() + waitMs, secret, error };
    return error;
  }

  /** @throws {ExporterError} as a request does, `auth` when this or an earlier login was refused. */
  async function requestToken(): Promise<AccessToken> {
    const secret = await readSecret(credentials);
    if (refusal !== undefined && refusal.secret.equals(secret) && clock.monotonic() < refusal.untilMs)
      throw refusal.error;
    const answer = await send(formOf(credentials, secret));
    if ([400, 401, 403].includes(answer.status)) throw refuse(secret, answer);
    refusal = undefined;
    return tokenOf(answer, clock);
  }

  return { requestToken, refused: () => refusal !== undefined };
}

/** Source: vb365-rest.md 2.1; the grant of RFC 7523. */
function formOf(credentials: Credentials, secret: Secret): LoginForm {
  if (credentials.kind === 'password')
    return { grant_type: 'password', username: credentials.username, password: secret.reveal() };
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    client_id: credentials.clientId,
    assertion: secret.reveal(),
  };
}

const refusalHints: Readonly<Record<Credentials['kind'], string>> = {
  password:
    'check user name and password; the account must be a Veeam backup administrator, without MFA (a service account)',
  assertion: 'check "client_id" and the assertion, which may have expired',
};

/** Quotes nothing of the body but one OAuth code: it may name the account. */
function refused({ kind }: Credentials, { status, body }: Answer): ExporterError {
  const unsupported = /"unsupported_grant_type"/.test(body);
  const hint = unsupported ? 'the server does not offer this way to log in' : refusalHints[kind];
  return new ExporterError('auth', `Could not log in (HTTP ${String(status)}): ${hint}`, {
    details: { operation: 'token', status },
  });
}

async function readSecret({ kind, secret }: Credentials): Promise<Secret> {
  try {
    return await secret();
  } catch (cause) {
    throw cause instanceof ExporterError ? cause : new ExporterError('auth', `Could not read the ${kind}`, { cause });
  }
}

/** For a server that does not say; the administrator sets the lifetime, 60 min by default. */
const defaultLifeSeconds = 600;

/** OAuth libraries also write `expires_in` as text. The access token becomes a header, so it is visible ASCII. */
const wireToken = z.object({
  access_token: z.string().regex(/^[\x21-\x7e]+$/),
  refresh_token: z.string().nullish(),
  expires_in: z.coerce.number().positive().catch(defaultLifeSeconds),
});

function tokenOf(answer: Answer, clock: Clock): AccessToken {
  const parsed = wireToken.safeParse(okJson('token', answer));
  if (!parsed.success) throw failure('token', 'decode', 'the answer holds no token');
  const { access_token: access, refresh_token: held, expires_in: lifeSeconds } = parsed.data;
  const lifeMs = lifeSeconds * 1000;
  return {
    access: new Secret(access),
    refresh: held === undefined || held === null || held === '' ? undefined : new Secret(held),
    renewMs: clock.monotonic() - answer.tookMs + renewAfterMs(lifeMs),
    endsAtMs: answer.beganMs + lifeMs,
  };
}

/** A minute before the token expires, or half way through a short life. */
const renewAfterMs = (lifeMs: number): number => (lifeMs < 120_000 ? lifeMs / 2 : lifeMs - 60_000);
