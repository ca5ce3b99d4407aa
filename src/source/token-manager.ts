import { ExporterError } from '../kernel/errors.js';
import type { Random } from '../kernel/clock.js';
import type { Secret } from '../kernel/secret.js';
import { singleFlight } from './single-flight.js';
import { logIn, type LoginOptions, refresh, type AccessToken } from './login.js';

/**
 * Keeps the one token of a server. However many ask, one login runs at a time. A refused secret is not tried again
 * before a wait is over (1, 10, then every 30 minutes) unless it has changed: VB365 checks Windows accounts, which lock.
 * A login that fails otherwise is tried again after a growing wait. A new `Auth` knows of no refusal.
 */
export interface TokenManager {
  /** A token that is not about to expire. @throws {ExporterError} as a request does, `auth` when login was refused. */
  ticket(signal: AbortSignal): Promise<AccessToken>;
  /**
   * A token in place of one that a request was refused with; a new one only for the first to say so.
   * @throws {ExporterError} `auth` also when tokens are refused that were never accepted: one more login will not help.
   */
  replace(refused: AccessToken, signal: AbortSignal): Promise<AccessToken>;
  /** Tells that a request was accepted with this token. */
  accepted(ticket: AccessToken): void;
  /** When the token in hand ends, epoch ms by our clock; undefined when there is none. */
  expiresAtMs(): number | undefined;
  /** The last login was refused: the next one waits. */
  refused(): boolean;
  /** The token to log out with, once nothing is asked for any more; undefined when there is none. */
  last(): Secret | undefined;
}

/** Tokens that are refused without ever having been accepted are replaced no more often than this. */
const uselessTokenMs = 60_000;

export function createTokenManager(options: LoginOptions & Readonly<{ random: Random }>): TokenManager {
  const { clock } = options;
  const login = logIn(options);
  const renewed = singleFlight(renew, { ...options, operation: 'token' });
  let current: AccessToken | undefined;
  let proven: AccessToken | undefined;
  let uselessMs = -Infinity;

  async function renew(): Promise<AccessToken> {
    const held = current?.refresh;
    const refreshed = held === undefined ? undefined : await refresh(options, held);
    if (refreshed === undefined) current = undefined;
    current = refreshed ?? (await login.ticket());
    return current;
  }

  async function ticket(signal: AbortSignal): Promise<AccessToken> {
    return current !== undefined && clock.monotonic() < current.renewMs ? current : renewed(signal);
  }

  function drop(refused: AccessToken): void {
    if (refused !== proven) {
      if (clock.monotonic() - uselessMs < uselessTokenMs)
        throw new ExporterError('auth', 'The server refuses the tokens that it gives');
      uselessMs = clock.monotonic();
    }
    // A refresh may give another token that is refused; only a login shows who is wrong.
    current = undefined;
  }

  return {
    ticket,
    replace: async (refused, signal) => {
      if (refused === current) drop(refused);
      return ticket(signal);
    },
    accepted: ticketInUse => {
      if (ticketInUse === current) proven = ticketInUse;
    },
    refused: () => login.refused(),
    expiresAtMs: () => current?.endsAtMs,
    last: () => current?.access,
  };
}
