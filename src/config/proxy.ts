import { z } from 'zod';
import type { Secret } from '../kernel/secret.js';
import { type Environment, readVariables, type Variable, variable } from './environment.js';
import type { Read } from './problem.js';
import { parsedText, parseSecretUrl } from './values.js';

/** An HTTP proxy between the exporter and a server. */
export type ProxyConfig = Readonly<{
  /** May contain credentials. */
  url: Secret;
  /** Hosts that are reached directly, in the format of `NO_PROXY`. */
  noProxy: string;
}>;

/** Reads `HTTPS_PROXY` and `NO_PROXY`; the lower-case names win. */
export function readProxy(env: Environment): Read<ProxyConfig | undefined> {
  const url = parsedText(
    /^https?:\/\/[^\s/?#\\]+\/?$/,
    'must be a URL such as http://proxy.example.com:3128',
    parseSecretUrl,
  );
  const read = readVariables(z.strictObject({ url: url.optional() }), { url: eitherCase(env, 'HTTPS_PROXY') });
  if ('problems' in read) return read;
  return { value: read.value.url && { url: read.value.url, noProxy: eitherCase(env, 'NO_PROXY').text ?? '' } };
}

function eitherCase(env: Environment, name: string): Variable {
  const lower = variable(env, name.toLowerCase());
  return lower.text === undefined ? variable(env, name) : lower;
}
