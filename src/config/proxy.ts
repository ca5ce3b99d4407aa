import { z } from 'zod';
import type { Secret } from '../kernel/secret.js';
import { type Environment, variable } from './environment.js';
import type { Read } from './problem.js';
import { readVariables, type Variable } from './read.js';
import { environmentProxy } from './values.js';

/** A proxy between us and a server. */
export type ProxyConfig = Readonly<{
  /** May hold credentials. */
  url: Secret;
  /** Hosts to reach without it, in the form of `NO_PROXY`. */
  noProxy: string;
}>;

/** Reads the proxy that the environment names. Lower case wins, as it does elsewhere. */
export function readProxy(env: Environment): Read<ProxyConfig | undefined> {
  const read = readVariables(z.strictObject({ url: environmentProxy().optional() }), {
    url: eitherCase(env, 'HTTPS_PROXY'),
  });
  if ('problems' in read) return read;
  const { url } = read.value;
  const noProxy = eitherCase(env, 'NO_PROXY').text ?? '';
  return { value: url === undefined ? undefined : { url, noProxy } };
}

function eitherCase(env: Environment, name: string): Variable {
  const lower = variable(env, name.toLowerCase());
  return lower.text === undefined ? variable(env, name) : lower;
}

/** A server with the proxy of the environment, unless it has one of its own or no TLS. */
export const proxied = <S extends Readonly<{ url: URL; proxy: ProxyConfig | undefined }>>(
  server: S,
  proxy: ProxyConfig | undefined,
): S => (server.proxy === undefined && server.url.protocol === 'https:' ? { ...server, proxy } : server);
