import type { Clock } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import type { Secret } from '../kernel/secret.js';
import { failure, statusFailure } from './request-errors.js';
import { decodeJson } from './json.js';
import type { Credentials } from './options.js';
import { decodeToken, renewAfterMs } from './token.js';
import type { Answer } from './transport.js';

/** A token as it is kept: with the times, by our clocks, at which it is renewed and ends. */
export type AccessToken = Readonly<{
  access: Secret;
  refresh: Secret | undefined;
  renewMs: number;
  endsAtMs: number;
}>;

type Form = Readonly<Record<string, string>>;

/** What logging in needs. `send` posts a form to the token endpoint, and is not cut short by who asked for it. */
export type LoginOptions = Readonly<{
  send: (form: Form) => Promise<Answer>;
  credentials: Credentials;
  clock: Clock;
}>;

/** A new token for a refresh token. Undefined when the server does not take the refresh token, or no longer. */
export async function refresh(options: LoginOptions, held: Secret): Promise<AccessToken | undefined> {
  const began = now(options.clock);
  const answer = await options.send({
    grant_type: 'refresh_token',
    refresh_token: held.reveal(),
  });
  return refusesToken(answer.status) ? undefined : ticketOf(answer, began);
}

/** Every other 4xx but a request to wait means the same as 400 and 401: this refresh token is of no use here. */
const refusesToken = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;

/** Waits after the first, second, and every further refusal, in ms: below usual lock-out rules (5 to 10 in 10 to 30 min). */
const refusalWaitsMs = [60_000, 600_000, 1_800_000] as const;

type Refusal = Readonly<{ count: number; untilMs: number; secret: Secret; error: ExporterError }>;

/** Logging in, again and again. */
export interface Login {
  /** @throws {ExporterError} as a request does, `auth` when it was refused, now or before. */
  ticket(): Promise<AccessToken>;
  /** The last login was refused: the next one has to wait, unless the secret changes. */
  refused(): boolean;
}

/**
 * Logging in with the secret, which is read each time. While a refused one is waited out, the same error comes back
 * without a request; one that has changed is tried at once.
 */
export function logIn({ send, credentials, clock }: LoginOptions): Login {
  let refusal: Refusal | undefined;

  function refuse(secret: Secret, answer: Answer): ExporterError {
    const count = refusal?.secret.equals(secret) === true ? (refusal?.count ?? 0) + 1 : 1;
    const waitMs = refusalWaitsMs[Math.min(count, refusalWaitsMs.length) - 1] ?? refusalWaitsMs[2];
    const error = refused(credentials, answer);
    refusal = { count, untilMs: clock.monotonic() + waitMs, secret, error };
    return error;
  }

  async function ticket(): Promise<AccessToken> {
    const secret = await readSecret(credentials);
    const began = now(clock);
    if (refusal !== undefined && refusal.secret.equals(secret) && began.monotonicMs < refusal.untilMs)
      throw refusal.error;
    const answer = await send(formOf(credentials, secret));
    if ([400, 401, 403].includes(answer.status)) throw refuse(secret, answer);
    refusal = undefined;
    return ticketOf(answer, began);
  }

  return { ticket, refused: () => refusal !== undefined };
}

/** Source: vb365-rest.md 2.1; the grant of RFC 7523. */
function formOf(credentials: Credentials, secret: Secret): Form {
  if (credentials.kind === 'password')
    return { grant_type: 'password', username: credentials.username, password: secret.reveal() };
  const { clientId } = credentials;
  return {
    grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer',
    client_id: clientId,
    assertion: secret.reveal(),
  };
}

const refusalHints: Readonly<Record<Credentials['kind'], string>> = {
  password:
    'check user name and password; the account must be a Veeam backup administrator, without MFA (a service account)',
  assertion: 'check "client_id" and the assertion, which may have expired',
};

/** What the server says beside the status is not repeated, but for one word of OAuth: it may name the account. */
function refused({ kind }: Credentials, { status, body }: Answer): ExporterError {
  const unsupported = /"unsupported_grant_type"/.test(body);
  const hint = unsupported ? 'the server does not offer this way to log in' : refusalHints[kind];
  return new ExporterError('auth', `Login was refused (HTTP ${String(status)}): ${hint}`, {
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

type Moment = Readonly<{ wallMs: number; monotonicMs: number }>;

const now = (clock: Clock): Moment => ({ wallMs: clock.now(), monotonicMs: clock.monotonic() });

function ticketOf(answer: Answer, began: Moment): AccessToken {
  if (answer.status !== 200) throw statusFailure('token', answer);
  const token = decodeToken(decodeJson('token', answer.body));
  if (token === undefined) throw failure('token', 'decode', 'the answer holds no token');
  const { access, refresh: held, lifeMs } = token;
  return {
    access,
    refresh: held,
    renewMs: began.monotonicMs + renewAfterMs(lifeMs),
    endsAtMs: began.wallMs + lifeMs,
  };
}
