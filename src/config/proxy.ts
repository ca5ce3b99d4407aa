import { z } from 'zod';
import type { Secret } from '../kernel/secret.js';
import { type Environment, readVariables, type Variable, variable } from './environment.js';
import type { Read } from './problem.js';
import { environmentProxy } from './values.js';

/** An HTTP proxy between the exporter and a server. */
export type ProxyConfig = Readonly<{
  /** May contain credentials. */
  url: Secret;
  /** Hosts that are reached directly, in the format of `NO_PROXY`. */
  noProxy: string;
}>;

/** Reads `HTTPS_PROXY` and `NO_PROXY`; the lower-case names win. */
export function readProxy(env: Environment): Read<ProxyConfig | undefined> {
  const read = readVariables(z.strictObject({ url: environmentProxy().optional() }), {
    url: eitherCase(env, 'HTTPS_PROXY'),
  });
  if ('problems' in read) return read;
  const { url } = read.value;
  return { value: url && { url, noProxy: eitherCase(env, 'NO_PROXY').text ?? '' } };
}

function eitherCase(env: Environment, name: string): Variable {
  const lower = variable(env, name.toLowerCase());
  return lower.text === undefined ? variable(env, name) : lower;
}
