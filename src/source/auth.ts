import { ExporterError } from '../kernel/errors.js';
import { failure } from './failure.js';
import { type LoginOptions, passwordLogin, refresh, type Ticket } from './login.js';

/**
 * Keeps the one token of a server. However many ask, one login runs at a time. A refused password is not tried again
 * before a wait is over (1, 10, then every 30 minutes) unless it has changed: VB365 checks Windows accounts, which lock.
 */
export interface Auth {
  /** A token that is not about to expire. @throws {ExporterError} as a request does, `auth` when login was refused. */
  ticket(signal: AbortSignal): Promise<Ticket>;
  /**
   * A token in place of one that a request was refused with; a new one only for the first to say so.
   * @throws {ExporterError} `auth` also when tokens are refused that were never accepted: one more login will not help.
   */
  replace(refused: Ticket, signal: AbortSignal): Promise<Ticket>;
  /** Tells that a request was accepted with this token. */
  accepted(ticket: Ticket): void;
  /** When the token in hand ends, epoch ms by our clock. */
  expiresAtMs(): number | undefined;
}

/** Tokens that are refused without ever having been accepted are replaced no more often than this. */
const uselessTokenMs = 60_000;

export function keepToken(options: LoginOptions): Auth {
  const { clock } = options;
  const logIn = passwordLogin(options);
  let current: Ticket | undefined;
  let proven: Ticket | undefined;
  let uselessMs = -Infinity;
  let flight: Promise<Ticket> | undefined;

  async function renew(): Promise<Ticket> {
    const held = current?.refresh;
    const refreshed = held === undefined ? undefined : await refresh(options, held);
    if (refreshed === undefined) current = undefined;
    current = refreshed ?? (await logIn());
    return current;
  }

  async function ticket(signal: AbortSignal): Promise<Ticket> {
    if (current !== undefined && flight === undefined && clock.monotonic() < current.renewMs) return current;
    flight ??= renew().finally(() => {
      flight = undefined;
    });
    return unlessAborted(flight, signal);
  }

  function drop(refused: Ticket): void {
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
    expiresAtMs: () => current?.endsAtMs,
  };
}

/** Waits for shared work; gives up waiting, not the work, when `signal` aborts. */
async function unlessAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const giveUp = (): void => reject(failure('token', 'aborted', 'stopped'));
  signal.addEventListener('abort', giveUp);
  if (signal.aborted) giveUp();
  return Promise.race([work, promise]).finally(() => signal.removeEventListener('abort', giveUp));
}
