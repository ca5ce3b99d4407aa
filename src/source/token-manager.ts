import { z } from 'zod';
import type { Clock } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { Secret } from '../kernel/secret.js';
import type { ApiOperation } from '../model/labels.js';
import type { Credentials, RestSettings } from './options.js';
import { failure, okJson } from './request-errors.js';
import { singleFlight } from './single-flight.js';
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
type LoginOptions = Pick<RestSettings, 'credentials' | 'clock' | 'random' | 'loginRefused'> &
  Readonly<{
    send: (form: LoginForm) => Promise<Answer>;
    /** Ends a token that is no longer used. Never rejects. */
    logOut: (token: AccessToken) => Promise<void>;
  }>;

/**
 * Waits after the first, second, and every further login that was refused, or whose token was, in ms: below usual lock-out
 * rules (5 to 10 in 10 to 30 min).
 */
const refusalWaitsMs = [60_000, 600_000, 1_800_000] as const;

/** How often in a row a login did not help one operation, with which token last, and when to log in for it again. */
type RefusedAfterLogin = Readonly<{ count: number; untilMs: number; token: AccessToken }>;

/**
 * Keeps the one token of a server; all callers share one login. VB365 checks Windows accounts, which lock, so a refused
 * secret is not tried again before a wait (1, 10, then every 30 minutes) unless it has changed: the secret is read for
 * every login. A login that fails for another reason is retried after a growing wait. A new manager knows of no refusal.
 */
export class TokenManager {
  readonly #options: LoginOptions;
  readonly #renewed: (signal: AbortSignal) => Promise<AccessToken>;
  #current: AccessToken | undefined;
  /** The last token that only a login can replace: a request was refused with it, or its refresh token was refused. */
  #unrefreshable: AccessToken | undefined;
  /** Operations for which the server refused the last new token as well. */
  readonly #refusedAfterLogin = new Map<ApiOperation, RefusedAfterLogin>();
  #refusal: Readonly<{ count: number; untilMs: number; secret: Secret; error: ExporterError }> | undefined;

  constructor(options: LoginOptions) {
    this.#options = options;
    this.#renewed = singleFlight(async () => this.#renew(), { ...options, operation: 'token' });
  }

  /** The last token, even an expired one; undefined when there is none. */
  get current(): AccessToken | undefined {
    return this.#current;
  }

  /** The last login was refused: the next one waits, unless the secret changes. */
  get refused(): boolean {
    return this.#refusal !== undefined;
  }

  /** A token that does not expire soon. @throws {ExporterError} as a request does, `auth` when login was refused. */
  async accessToken(signal: AbortSignal): Promise<AccessToken> {
    const { clock } = this.#options;
    const current = this.#current;
    if (current !== undefined && clock.monotonic() < current.renewMs) return current;
    return this.#renewed(signal).catch((thrown: unknown) => {
      // It serves while it lasts, so that a login that fails once does not stop all requests.
      if (current === undefined || signal.aborted || clock.now() >= current.endsAtMs) throw thrown;
      return current;
    });
  }

  /**
   * Replaces a token that a request was refused with; concurrent callers get the same new one. The old one is logged
   * out. While no login succeeds, it stays the current one, since other requests may be accepted with it.
   * @throws {ExporterError} `auth` also when the last new token was refused for this operation: another login would not help.
   */
  async replace(refused: AccessToken, operation: ApiOperation, signal: AbortSignal): Promise<AccessToken> {
    if (refused !== this.#current) return this.accessToken(signal);
    const { clock, logOut } = this.#options;
    if (clock.monotonic() < (this.#refusedAfterLogin.get(operation)?.untilMs ?? 0))
      throw failure(operation, 'auth', 'the server refuses the tokens that it issues');
    // A refreshed token may be refused again; only a login shows whether the account is the cause.
    this.#unrefreshable = refused;
    const replacement = await this.#renewed(signal);
    void logOut(refused);
    return replacement;
  }

  /** Records whether a request was accepted that had been refused with the token before this one. */
  markReplacement(operation: ApiOperation, token: AccessToken, isAccepted: boolean): void {
    const last = this.#refusedAfterLogin.get(operation);
    if (isAccepted) return void this.#refusedAfterLogin.delete(operation);
    if (last?.token === token) return; // a concurrent request
    const count = (last?.count ?? 0) + 1;
    const untilMs = this.#options.clock.monotonic() + waitAfter(count);
    this.#refusedAfterLogin.set(operation, { count, untilMs, token });
  }

  async #renew(): Promise<AccessToken> {
    const held = this.#current === this.#unrefreshable ? undefined : this.#current?.refresh;
    const refreshed = held === undefined ? undefined : await this.#refresh(held);
    if (refreshed === undefined) this.#unrefreshable = this.#current;
    this.#current = refreshed ?? (await this.#logIn());
    return this.#current;
  }

  /** Undefined when the server refuses the refresh token: any 4xx, except those that ask the client to wait. */
  async #refresh(held: Secret): Promise<AccessToken | undefined> {
    const answer = await this.#options.send({ grant_type: 'refresh_token', refresh_token: held.reveal() });
    const isRefused = answer.status >= 400 && answer.status < 500 && answer.status !== 408 && answer.status !== 429;
    return isRefused ? undefined : tokenOf(answer, this.#options.clock);
  }

  /** During the wait after a refusal it throws the same error without a request; a changed secret is tried at once. */
  async #logIn(): Promise<AccessToken> {
    const { credentials, clock, send, loginRefused } = this.#options;
    const secret = await readSecret(credentials);
    const last = this.#refusal?.secret.equals(secret) === true ? this.#refusal : undefined;
    if (last !== undefined && clock.monotonic() < last.untilMs) throw last.error;
    const answer = await send(formOf(credentials, secret));
    this.#refusal = undefined;
    if (![400, 401, 403].includes(answer.status)) return tokenOf(answer, clock);
    const count = (last?.count ?? 0) + 1;
    const error = refusalOf(credentials, answer);
    this.#refusal = { count, untilMs: clock.monotonic() + waitAfter(count), secret, error };
    await loginRefused();
    throw error;
  }
}

const waitAfter = (count: number): number =>
  refusalWaitsMs[Math.min(count, refusalWaitsMs.length) - 1] ?? refusalWaitsMs[2];

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
function refusalOf({ kind }: Credentials, { status, body }: Answer): ExporterError {
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

/** Servers refuse a header that is longer. */
const longestTokenText = 16_384;

/** OAuth libraries also write `expires_in` as text. The access token becomes a header, so it is visible ASCII. */
const wireToken = z.object({
  access_token: z
    .string()
    .max(longestTokenText)
    .regex(/^[\x21-\x7e]+$/),
  refresh_token: z.string().max(longestTokenText).nullish(),
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
    // A minute before the token expires, or half way through a short life.
    renewMs: clock.monotonic() - answer.tookMs + Math.max(lifeMs / 2, lifeMs - 60_000),
    endsAtMs: answer.beganMs + lifeMs,
  };
}
