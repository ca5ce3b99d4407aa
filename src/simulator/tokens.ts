import type { Clock, Random } from '../kernel/clock.js';
import { milliseconds } from '../model/time.js';
import type { SimulatedVersion, Quirks } from './quirks.js';
import { writeInstant } from './quantities.js';

/** The fields posted to `POST /vN/token`. */
export type TokenForm = Readonly<Record<string, string>>;

/** The outcome of a login: the response body, or the error. */
type Grant =
  | Readonly<{ ok: true; body: Readonly<Record<string, string | number>>; antiforgery: string | undefined }>
  | Readonly<{ ok: false; error: string; message: string }>;

/** Who may log in, and for how long. */
type TokenPolicy = Readonly<{
  username: string;
  password: string;
  /** Assertions by client id. */
  clients: Readonly<Record<string, string>>;
}> &
  Pick<Quirks, 'tokenLifetimeSeconds' | 'refreshLifetimeSeconds' | 'mfa'>;

/** A valid access token. `antiforgery`: the value of its cookie, when it was issued with one. */
type IssuedToken = Readonly<{ expiresAtMs: number; antiforgery: string | undefined }>;

/** The grant of RFC 7523. */
const jwtBearer = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

type Refresh = Readonly<{ expiresAtMs: number; userName: string }>;

/**
 * The issued tokens. They end when they expire, at logout, or when revoked; a refresh token is valid once. Source: vb365-rest.md 2.1, 2.2 and 2.6.
 */
export class Tokens {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #policy: TokenPolicy;
  readonly #access = new Map<string, IssuedToken>();
  readonly #refresh = new Map<string, Refresh>();

  constructor(clock: Clock, random: Random, policy: TokenPolicy) {
    this.#clock = clock;
    this.#random = random;
    this.#policy = policy;
  }

  grant(version: SimulatedVersion, form: TokenForm): Grant {
    this.#forgetExpired();
    const userName = form['grant_type'] === 'refresh_token' ? this.#redeem(form) : this.#login(form);
    if (userName === undefined) return refusalOf(form);
    const antiforgery =
      version >= 7 && form['disable_antiforgery_token']?.toLowerCase() !== 'true' ? this.#opaque(24) : undefined;
    return { ok: true, body: this.#issue(version, userName, antiforgery), antiforgery };
  }

  /** Undefined when the token is unknown or has expired. */
  find(accessToken: string): IssuedToken | undefined {
    const held = this.#access.get(accessToken);
    return held !== undefined && held.expiresAtMs > this.#clock.now() ? held : undefined;
  }

  /** Logs out. */
  revoke(accessToken: string): void {
    this.#access.delete(accessToken);
  }

  /** Revokes all access tokens, and with `refresh` all refresh tokens. */
  revokeAll(refresh: boolean): void {
    this.#access.clear();
    if (refresh) this.#refresh.clear();
  }

  #login(form: TokenForm): string | undefined {
    if (form['grant_type'] === jwtBearer) return this.#assert(form);
    const { username, password, mfa } = this.#policy;
    if (mfa || form['grant_type'] !== 'password' || form['password'] !== password) return undefined;
    return form['username']?.toLowerCase() === username.toLowerCase() ? form['username'] : undefined;
  }

  #assert({ client_id: client = '', assertion }: TokenForm): string | undefined {
    const { clients } = this.#policy;
    return Object.hasOwn(clients, client) && clients[client] === assertion ? client : undefined;
  }

  #redeem(form: TokenForm): string | undefined {
    const token = form['refresh_token'] ?? '';
    const held = this.#refresh.get(token);
    this.#refresh.delete(token);
    return held?.userName;
  }

  #issue(
    version: SimulatedVersion,
    userName: string,
    antiforgery: string | undefined,
  ): Record<string, string | number> {
    const now = this.#clock.now();
    const { tokenLifetimeSeconds, refreshLifetimeSeconds } = this.#policy;
    const expiresAtMs = now + tokenLifetimeSeconds * 1000;
    const access = version <= 5 ? `AQAAANCMnd8B${this.#opaque(180)}` : this.#jwt(userName, expiresAtMs);
    const refresh = this.#opaque(48);
    this.#access.set(access, { expiresAtMs, antiforgery });
    this.#refresh.set(refresh, { expiresAtMs: now + refreshLifetimeSeconds * 1000, userName });
    return {
      access_token: access,
      token_type: 'bearer',
      expires_in: tokenLifetimeSeconds,
      refresh_token: refresh,
      userName,
      '.issued': writeTime(now, version),
      '.expires': writeTime(expiresAtMs, version),
    };
  }

  /** A token in the form of a JWT without a real signature. */
  #jwt(userName: string, expiresAtMs: number): string {
    const claims = {
      unique_name: userName,
      jti: this.#opaque(12),
      exp: Math.floor(expiresAtMs / 1000),
      iss: 'simulator',
    };
    return [base64({ alg: 'HS256', typ: 'JWT' }), base64(claims), this.#opaque(32)].join('.');
  }

  #opaque(bytes: number): string {
    return Buffer.from(Array.from({ length: bytes }, () => Math.floor(this.#random() * 256))).toString('base64url');
  }

  #forgetExpired(): void {
    const now = this.#clock.now();
    for (const [token, { expiresAtMs }] of this.#access) if (expiresAtMs <= now) this.#access.delete(token);
    for (const [token, { expiresAtMs }] of this.#refresh) if (expiresAtMs <= now) this.#refresh.delete(token);
  }
}

const base64 = (claims: object): string => Buffer.from(JSON.stringify(claims)).toString('base64url');

/** RFC 1123 up to v5, as OWIN does it (assumed); ISO from v6. */
function writeTime(atMs: number, version: SimulatedVersion): string {
  if (version <= 5) return new Date(atMs).toUTCString();
  return writeInstant(milliseconds(atMs), version, { times: 'native', offsetMinutes: 0, trimFractions: true });
}

function refusalOf(form: TokenForm): Grant {
  if (form['grant_type'] === 'refresh_token')
    return { ok: false, error: 'invalid_grant', message: 'The refresh token is not valid' };
  if (form['grant_type'] !== 'password' && form['grant_type'] !== jwtBearer)
    return { ok: false, error: 'unsupported_grant_type', message: 'The grant type is not supported' };
  return { ok: false, error: 'invalid_grant', message: 'The server has rejected the client credentials' };
}
