import { alarm } from '../kernel/clock.js';
import { linkAbort } from '../kernel/linked-abort.js';
import { isAtLeast } from '../model/api-versions.js';
import type { ApiOperation } from '../model/labels.js';
import { type RestOptions, type RestSettings, settingsOf } from './options.js';
import { type AccessToken, TokenManager } from './token-manager.js';
import { type Answer, type Call, createTransport, type Transport } from './transport.js';
import { createVersions, type Versions } from './versions.js';

type Expected = Pick<Call, 'rows' | 'waitMs'>;

/** Requests to one server that may be in flight twice because their answers are late. */
const maxRepeats = 4;

/** Authenticated access to the API of one server, in the version that it serves. Nothing is sent before the first use. */
export class Connection {
  readonly settings: RestSettings;
  readonly transport: Transport;
  readonly versions: Versions;
  readonly tokens: TokenManager;
  /** Requests that are in flight twice. */
  #repeats = 0;

  constructor(options: RestOptions) {
    this.settings = settingsOf(options);
    this.transport = createTransport(this.settings);
    this.versions = createVersions(this.settings, async call => this.transport.send(call, unaborted()));
    this.tokens = new TokenManager({
      ...this.settings,
      send: async form => this.#sendForm(form),
      logOut: async token => this.#logOut(token),
    });
  }

  /**
   * Gets a path below the version's prefix, with a token. A request refused with 401 is repeated once with another token;
   * any other status, and a second 401, is an answer. `expected`: see `Call`.
   * @throws {ExporterError} as `Transport`, `TokenManager` and `Versions` do.
   */
  async get(operation: ApiOperation, path: string, signal: AbortSignal, expected: Expected = {}): Promise<Answer> {
    const call = { ...expected, operation, path: `${await this.versions.current(signal)}/${path}` };
    const token = await this.tokens.accessToken(signal);
    const answer = await this.#attempt(call, token, signal);
    if (answer.status !== 401) return answer;
    const replacement = await this.tokens.replace(token, operation, signal);
    const repeated = await this.#attempt(call, replacement, signal);
    this.tokens.markReplacement(operation, replacement, repeated.status !== 401);
    return repeated;
  }

  /** Aborts the requests in flight, logs out where the API can, within 2 s, and closes the connections. */
  async close(): Promise<void> {
    return this.transport.close(this.#logOutCall(this.tokens.current));
  }

  /** Undefined before v7, which has no logout: a token ends when it expires. */
  #logOutCall(token: AccessToken | undefined): Call | undefined {
    const apiVersion = this.versions.known();
    if (apiVersion === undefined || token === undefined || !isAtLeast(apiVersion, 'v7')) return undefined;
    return { operation: 'token', path: `${apiVersion}/token/logout`, token: token.access, form: {} };
  }

  async #logOut(token: AccessToken): Promise<void> {
    const call = this.#logOutCall(token);
    if (call !== undefined) await this.transport.send(call, unaborted()).catch(() => undefined);
  }

  async #attempt(call: Call, token: AccessToken, signal: AbortSignal): Promise<Answer> {
    const send = async (until: AbortSignal): Promise<Answer> =>
      this.transport.send({ ...call, token: token.access }, until);
    const isLongPoll = call.waitMs !== undefined && call.waitMs > 0;
    const answer = await (isLongPoll ? send(signal) : this.#repeatIfLate(send, signal));
    // A list exists even when it is empty, so this version is no longer served. A single object may be gone.
    if (call.operation === 'sessions' && answer.status === 404) this.versions.recheck();
    return answer;
  }

  /**
   * Sends a GET, and once more if its answer is late, unless too many requests are in flight twice: a slow server gets few
   * requests twice. The first result counts; the other request is aborted.
   */
  async #repeatIfLate(send: (until: AbortSignal) => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
    const over = new AbortController();
    const unlink = linkAbort(over, [signal]);
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const cancel = alarm(this.settings.repeatMs, () => resolve(undefined));
    try {
      const first = send(over.signal);
      const answer = await Promise.race([first, late]);
      if (answer !== undefined || this.#repeats >= maxRepeats) return answer ?? (await first);
      this.#repeats += 1;
      return await Promise.race([first, send(over.signal)]).finally(() => (this.#repeats -= 1));
    } finally {
      cancel();
      over.abort();
      unlink();
    }
  }

  async #sendForm(fields: Readonly<Record<string, string>>): Promise<Answer> {
    const apiVersion = await this.versions.current(unaborted());
    // From v7 on the server demands a second token, in a cookie, unless declined (help center, "Authorization").
    const form = isAtLeast(apiVersion, 'v7') ? { ...fields, disable_antiforgery_token: 'true' } : fields;
    const answer = await this.transport.send({ operation: 'token', path: `${apiVersion}/token`, form }, unaborted());
    if (answer.status === 404) this.versions.recheck();
    return answer;
  }
}

/** Logins and probes are shared, so no caller's signal aborts them: only the deadline, or closing. */
const unaborted = (): AbortSignal => new AbortController().signal;
