import type { Secret } from '../kernel/secret.js';
import { type ApiVersion, isAtLeast } from '../model/api-versions.js';
import { type ApiClient, createApiClient } from './api-client.js';
import { type RestOptions, settingsOf } from './options.js';
import { createTokenManager, type TokenManager } from './token-manager.js';
import { type Answer, type Call, createTransport, type Transport } from './transport.js';
import { createVersions, type Versions } from './versions.js';

/** Everything that speaks with one server. Nothing is sent before the first use. */
export type Connection = Readonly<{
  client: ApiClient;
  transport: Transport;
  tokens: TokenManager;
  /** Aborts the requests in flight, logs out where the API can, within 2 s, and closes the connections. */
  close: () => Promise<void>;
}>;

export function connect(options: RestOptions): Connection {
  const settings = settingsOf(options);
  const transport = createTransport(settings);
  const versions = createVersions(settings, async call => transport.send(call, unaborted()));
  const tokens = createTokenManager({ ...settings, send: sendForm(transport, versions) });
  const client = createApiClient({ settings, transport, tokens, versions });
  return { client, transport, tokens, close: async () => transport.close(logout(versions.known(), tokens.last())) };
}

/** Logins and probes are shared, so no caller's signal aborts them: only the deadline, or closing. */
const unaborted = (): AbortSignal => new AbortController().signal;

const sendForm =
  (transport: Transport, versions: Versions) =>
  async (form: Readonly<Record<string, string>>): Promise<Answer> => {
    const apiVersion = await versions.current(unaborted());
    const path = `${apiVersion}/token`;
    const answer = await transport.send(
      { operation: 'token', path, form: { ...form, ...antiforgery(apiVersion) } },
      unaborted(),
    );
    if (answer.status === 404) versions.recheck();
    return answer;
  };

/** From v7 on the server demands a second token, in a cookie, unless the client declines it (help center, "Authorization"). */
const antiforgery = (apiVersion: ApiVersion): Readonly<Record<string, string>> =>
  isAtLeast(apiVersion, 'v7') ? { disable_antiforgery_token: 'true' } : {};

/** `POST /vN/token/logout` exists from v7 on; before, a token ends when it expires. */
const logout = (apiVersion: ApiVersion | undefined, token: Secret | undefined): Call | undefined =>
  apiVersion === undefined || token === undefined || !isAtLeast(apiVersion, 'v7')
    ? undefined
    : { operation: 'token', path: `${apiVersion}/token/logout`, token, form: {} };
