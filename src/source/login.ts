import type { Clock } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import type { Secret } from '../kernel/secret.js';
import { failure, statusFailure } from './failure.js';
import { decodeJson } from './json.js';
import { type ApiVersion, since } from './options.js';
import { decodeToken, renewAfterMs } from './token.js';
import type { Answer } from './transport.js';

/** A token as it is kept: with the times, by our clocks, at which it is renewed and ends. */
export type Ticket = Readonly<{
  access: Secret;
  refresh: Secret | undefined;
  renewMs: number;
  endsAtMs: number;
}>;

type Form = Readonly<Record<string, string>>;

/** What logging in needs. `send` posts a form to the token endpoint, and is not cut short by who asked for it. */
export type LoginOptions = Readonly<{
  send: (form: Form) => Promise<Answer>;
  apiVersion: ApiVersion;
  username: string;
  password: () => Promise<Secret>;
  clock: Clock;
}>;

/** A new token for a refresh token. Undefined when the server does not take the refresh token, or no longer. */
export async function refresh(options: LoginOptions, held: Secret): Promise<Ticket | undefined> {
  const began = now(options.clock);
  const answer = await options.send({
    grant_type: 'refresh_token',
    refresh_token: held.reveal(),
    ...antiforgery(options.apiVersion),
  });
  return refusesToken(answer.status) ? undefined : ticketOf(answer, began);
}

/** Every other 4xx but a request to wait means the same as 400 and 401: this refresh token is of no use here. */
const refusesToken = (status: number): boolean => status >= 400 && status < 500 && status !== 408 && status !== 429;

/** Waits after the first, second, and every further refusal, in ms: below usual lock-out rules (5 to 10 in 10 to 30 min). */
const refusalWaitsMs = [60_000, 600_000, 1_800_000] as const;

type Refusal = Readonly<{ count: number; untilMs: number; password: Secret; status: number }>;

/**
 * Logging in with the password, which is read each time. While a refused one is waited out, the same error comes back
 * without a request.
 */
export function passwordLogin(options: LoginOptions): () => Promise<Ticket> {
  let refusal: Refusal | undefined;

  function refuse(password: Secret, status: number): ExporterError {
    const count = isSame(refusal?.password, password) ? (refusal?.count ?? 0) + 1 : 1;
    const waitMs = refusalWaitsMs[Math.min(count, refusalWaitsMs.length) - 1] ?? refusalWaitsMs[2];
    refusal = { count, untilMs: options.clock.monotonic() + waitMs, password, status };
    return refused(status);
  }

  return async () => {
    const password = await readPassword(options.password);
    const began = now(options.clock);
    if (refusal !== undefined && isSame(refusal.password, password) && began.monotonicMs < refusal.untilMs)
      throw refused(refusal.status);
    const answer = await options.send({
      grant_type: 'password',
      username: options.username,
      password: password.reveal(),
      ...antiforgery(options.apiVersion),
    });
    if ([400, 401, 403].includes(answer.status)) throw refuse(password, answer.status);
    refusal = undefined;
    return ticketOf(answer, began);
  };
}

/** What the server says beside the status is not repeated: it may name the account. */
const refused = (status: number): ExporterError =>
  new ExporterError('auth', `Login was refused (HTTP ${String(status)})`, { details: { operation: 'token', status } });

const isSame = (one: Secret | undefined, other: Secret): boolean => one?.reveal() === other.reveal();

async function readPassword(password: () => Promise<Secret>): Promise<Secret> {
  try {
    return await password();
  } catch (cause) {
    throw cause instanceof ExporterError ? cause : new ExporterError('auth', 'Could not read the password', { cause });
  }
}

/** From v7 on the server wants a second token, in a cookie, of everybody who does not decline it (help center, "Authorization"). */
const antiforgery = (apiVersion: ApiVersion): Form =>
  since(apiVersion, 'v7') ? { disable_antiforgery_token: 'true' } : {};

type Moment = Readonly<{ wallMs: number; monotonicMs: number }>;

const now = (clock: Clock): Moment => ({ wallMs: clock.now(), monotonicMs: clock.monotonic() });

function ticketOf(answer: Answer, began: Moment): Ticket {
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
