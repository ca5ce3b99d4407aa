import type { TokenManager } from './token-manager.js';
import type { AccessToken } from './login.js';
import type { Operation } from './options.js';
import type { Answer, Call, Transport } from './transport.js';
import type { Versions } from './versions.js';

/**
 * Reads below the version's prefix with a token. A request refused with 401 is repeated once with another token; any
 * other status, and a second 401, is an answer.
 * @throws {ExporterError} as `Transport`, `Auth` and `Versions` do.
 */
export type Get = (operation: Operation, path: string, signal: AbortSignal, how?: How) => Promise<Answer>;
type How = Pick<Call, 'waitMs'>;

export function reader(transport: Transport, auth: TokenManager, versions: Versions): Get {
  return async (operation, path, signal, how = {}) => {
    const apiVersion = await versions.current(signal);
    const attempt = async (ticket: AccessToken): Promise<Answer> => {
      const call = { operation, path: `${apiVersion}/${path}`, token: ticket.access, ...how };
      const answer = await transport.send(call, signal);
      if (answer.status < 400 || answer.status === 404) auth.accepted(ticket);
      // A list is there whatever it lists; a single thing may well be gone.
      if (operation === 'sessions' && answer.status === 404) versions.doubt();
      return answer;
    };
    const ticket = await auth.ticket(signal);
    const answer = await attempt(ticket);
    return answer.status === 401 ? attempt(await auth.replace(ticket, signal)) : answer;
  };
}
