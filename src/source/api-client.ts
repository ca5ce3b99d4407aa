import type { ApiOperation } from '../model/labels.js';
import type { AccessToken } from './login.js';
import type { RestSettings } from './options.js';
import type { TokenManager } from './token-manager.js';
import type { Answer, Call, Transport } from './transport.js';
import type { Versions } from './versions.js';

/**
 * Gets a path below the version's prefix, with a token. A request refused with 401 is repeated once with another token;
 * any other status, and a second 401, is an answer.
 * @throws {ExporterError} as `Transport`, `TokenManager` and `Versions` do.
 */
export type Get = (
  operation: ApiOperation,
  path: string,
  signal: AbortSignal,
  options?: Pick<Call, 'waitMs'>,
) => Promise<Answer>;

/** Authenticated access to the API of one server, in the version that it serves. */
export type ApiClient = Readonly<{ settings: RestSettings; get: Get; versions: Versions }>;

type Deps = Readonly<{ settings: RestSettings; transport: Transport; tokens: TokenManager; versions: Versions }>;

export function createApiClient({ settings, transport, tokens, versions }: Deps): ApiClient {
  const get: Get = async (operation, path, signal, options = {}) => {
    const apiVersion = await versions.current(signal);
    const attempt = async (token: AccessToken): Promise<Answer> => {
      const call = { operation, path: `${apiVersion}/${path}`, token: token.access, ...options };
      const answer = await transport.send(call, signal);
      if (answer.status < 400 || answer.status === 404) tokens.markAccepted(token);
      // A list exists even when it is empty, so this version is no longer served. A single object may be gone.
      if (operation === 'sessions' && answer.status === 404) versions.recheck();
      return answer;
    };
    const token = await tokens.accessToken(signal);
    const answer = await attempt(token);
    return answer.status === 401 ? attempt(await tokens.replace(token, signal)) : answer;
  };
  return { settings, get, versions };
}
