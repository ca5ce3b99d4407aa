import { afterEach } from '@jest/globals';
import type { ServerOptions } from 'node:https';
import type { Clock } from '../../src/kernel/clock.js';
import { Secret } from '../../src/kernel/secret.js';
import type { ApiOperation, ApiCode } from '../../src/model/labels.js';
import type { RestOptions } from '../../src/source/options.js';
import { restSource, type RestSource } from '../../src/source/rest.js';
import { type Asked, type Reply, type Script, scriptedServer, type ScriptedServer } from './scripted-server.js';

/** A clock that stands still until it is moved. */
export type HandClock = Clock & { move(ms: number): void };

export function handClock(startMs = Date.UTC(2026, 0, 1)): HandClock {
  let nowMs = startMs;
  return {
    now: () => nowMs,
    monotonic: () => nowMs - startMs,
    sleep: async (ms, signal) => {
      signal.throwIfAborted();
      nowMs += ms;
    },
    move: ms => {
      nowMs += ms;
    },
  };
}

/** A signal that never aborts. */
export const never = new AbortController().signal;

export type Rig = Readonly<{
  server: ScriptedServer;
  source: RestSource;
  clock: HandClock;
  /** What was observed, as `operation code`. */
  observed: readonly string[];
  /** Requests for a token, and the others. */
  logins(): readonly Asked[];
  reads(): readonly Asked[];
  setPassword(text: string): void;
  close(): Promise<void>;
}>;

/** The n-th token of a server: `token-n` and `refresh-n`. */
export const grant = (n: number, over: Readonly<Record<string, unknown>> = {}): Reply => ({
  json: {
    access_token: `token-${String(n)}`,
    token_type: 'bearer',
    expires_in: 3600,
    refresh_token: `refresh-${String(n)}`,
    ...over,
  },
});

const isToken = ({ url }: Asked): boolean => /^\/v\d\/token$/.test(url);

/** Options of the source, and what the server answers to the n-th request for a token. */
export type Extras = Partial<RestOptions> &
  Readonly<{
    tokens?: (asked: Asked, n: number) => Reply | Promise<Reply>;
    /** Makes the server speak HTTPS. */
    tls?: ServerOptions;
  }>;

/** A source and the server it reads. Token requests are granted unless `tokens` says otherwise; the rest is `script`'s. */
async function rig(script: Script, options: Extras = {}): Promise<Rig> {
  const { tokens = (_, n) => grant(n), tls, ...rest } = options;
  const observed: string[] = [];
  const clock = handClock();
  let password = 'canary-password';
  let granted = 0;
  const server = await scriptedServer(asked => {
    if (!isToken(asked)) return script(asked);
    granted += 1;
    return tokens(asked, granted);
  }, tls);
  const source = restSource({
    baseUrl: server.url,
    apiVersion: 'v6',
    credentials: { kind: 'password', username: 'EAST\\canary-user', secret: async () => new Secret(password) },
    clock,
    random: () => 0,
    observe: (operation: ApiOperation, code: ApiCode) => observed.push(`${operation} ${code}`),
    ...rest,
  });
  return {
    server,
    source,
    clock,
    observed,
    logins: () => server.asked.filter(isToken),
    reads: () => server.asked.filter(asked => !isToken(asked)),
    setPassword: text => {
      password = text;
    },
    close: async () => {
      await source.close();
      await server.close();
    },
  };
}

/** Makes rigs, and closes them, and what else was handed to it, after each test of the file. */
export function bench(): Readonly<{
  begin(script: Script, extras?: Extras): Promise<Rig>;
  closeLater(close: () => Promise<void>): void;
}> {
  const closers: (() => Promise<void>)[] = [];
  afterEach(async () => {
    await Promise.all(closers.splice(0).map(async close => close()));
  });
  return {
    begin: async (script, extras) => {
      const one = await rig(script, extras);
      closers.push(one.close);
      return one;
    },
    closeLater: close => closers.push(close),
  };
}
