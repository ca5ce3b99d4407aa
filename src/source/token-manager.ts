import type { Random } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { type AccessToken, createLogin, type LoginOptions, refresh } from './login.js';
import { singleFlight } from './single-flight.js';

/**
 * Keeps the one token of a server; all callers share one login. VB365 checks Windows accounts, which lock, so a refused
 * secret is not tried again before a wait (1, 10, then every 30 minutes) unless it has changed. A login that fails for
 * another reason is retried after a growing wait. A new manager knows of no refusal.
 */
export interface TokenManager {
  /** A token that does not expire soon. @throws {ExporterError} as a request does, `auth` when login was refused. */
  accessToken(signal: AbortSignal): Promise<AccessToken>;
  /**
   * Replaces a token that a request was refused with; concurrent callers get the same new one.
   * @throws {ExporterError} `auth` also when tokens are refused that were never accepted: another login will not help.
   */
  replace(refused: AccessToken, signal: AbortSignal): Promise<AccessToken>;
  /** Records that the server accepted a request with this token. */
  markAccepted(token: AccessToken): void;
  /** The last login was refused: the next one waits. */
  refused(): boolean;
  /** The last token, even an expired one; undefined when there is none. */
  current(): AccessToken | undefined;
}

/** Tokens that are refused without ever having been accepted are replaced at most this often. */
const uselessTokenMs = 60_000;

export function createTokenManager(options: LoginOptions & Readonly<{ random: Random }>): TokenManager {
  const { clock } = options;
  const login = createLogin(options);
  const renewed = singleFlight(renew, { ...options, operation: 'token' });
  let current: AccessToken | undefined;
  let proven: AccessToken | undefined;
  let uselessSinceMs = -Infinity;

  async function renew(): Promise<AccessToken> {
    const held = current?.refresh;
    const refreshed = held === undefined ? undefined : await refresh(options, held);
    if (refreshed === undefined) current = undefined;
    current = refreshed ?? (await login.requestToken());
    return current;
  }

  async function accessToken(signal: AbortSignal): Promise<AccessToken> {
    return current !== undefined && clock.monotonic() < current.renewMs ? current : renewed(signal);
  }

  function drop(refused: AccessToken): void {
    if (refused !== proven) {
      if (clock.monotonic() - uselessSinceMs < uselessTokenMs)
        throw new ExporterError('auth', 'Could not use the token: the server refuses the tokens that it issues');
      uselessSinceMs = clock.monotonic();
    }
    // A refreshed token may be refused again; only a login shows whether the account is the cause.
    current = undefined;
  }

  return {
    accessToken,
    replace: async (refused, signal) => {
      if (refused === current) drop(refused);
      return accessToken(signal);
    },
    markAccepted: token => {
      if (token === current) proven = token;
    },
    refused: () => login.refused(),
    current: () => current,
  };
}
