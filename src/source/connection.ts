import type { Secret } from '../kernel/secret.js';
import { type TokenManager, createTokenManager } from './token-manager.js';
import type { ApiClient } from './link.js';
import { type ApiVersion, type RestOptions, settingsOf, since } from './options.js';
import { reader } from './reader.js';
import { type Answer, type Call, transport, type Transport } from './transport.js';
import { type Versions, versions } from './versions.js';

/** The way to one server: its connections, the version that is spoken, the token. Nothing is sent before it is used. */
export type Connection = Readonly<{
  link: ApiClient;
  wire: Transport;
  auth: TokenManager;
  /** Ends what is under way with `aborted`, logs out where the API can, within 2 s, and closes the connections. */
  close: () => Promise<void>;
}>;

export function connect(options: RestOptions): Connection {
  const settings = settingsOf(options);
  const wire = transport(settings);
  const spoken = versions(settings, async call => wire.send(call, nobody()));
  const auth = createTokenManager({ ...settings, send: sendForm(wire, spoken) });
  const link = { settings, read: reader(wire, auth, spoken), versions: spoken };
  return { link, wire, auth, close: async () => wire.close(logout(spoken.known(), auth.last())) };
}

/** Nobody in particular waits for a login or a probe, so nobody's signal ends it: its deadline does, or closing. */
const nobody = (): AbortSignal => new AbortController().signal;

const sendForm =
  (wire: Transport, spoken: Versions) =>
  async (form: Readonly<Record<string, string>>): Promise<Answer> => {
    const apiVersion = await spoken.current(nobody());
    const path = `${apiVersion}/token`;
    const answer = await wire.send(
      { operation: 'token', path, form: { ...form, ...antiforgery(apiVersion) } },
      nobody(),
    );
    if (answer.status === 404) spoken.doubt();
    return answer;
  };

/** From v7 on the server wants a second token, in a cookie, of everybody who does not decline it (help center, "Authorization"). */
const antiforgery = (apiVersion: ApiVersion): Readonly<Record<string, string>> =>
  since(apiVersion, 'v7') ? { disable_antiforgery_token: 'true' } : {};

/** `POST /vN/token/logout` is there from v7 on; before, a token ends with its time. */
const logout = (apiVersion: ApiVersion | undefined, token: Secret | undefined): Call | undefined =>
  apiVersion === undefined || token === undefined || !since(apiVersion, 'v7')
    ? undefined
    : { operation: 'token', path: `${apiVersion}/token/logout`, token, form: {} };
