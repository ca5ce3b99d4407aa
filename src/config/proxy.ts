import { BlockList, isIP } from 'node:net';
import { z } from 'zod';
import type { Secret } from '../kernel/secret.js';
import { type Environment, readVariables, type Variable, variable } from './environment.js';
import type { Read } from './problem.js';
import { isLoopback, proxyFromVariable } from './values.js';

/** The HTTP proxy between the exporter and a server or receiver. */
export type ProxyConfig = Readonly<{
  /** With a scheme. May contain credentials. */
  url: Secret;
}>;

/** The port of a URL, also if it is the default one. */
export const portOf = ({ port, protocol }: URL): string => port || (protocol === 'https:' ? '443' : '80');

/** `host:port` of a URL, for messages. */
export const hostOf = (url: URL): string => `${url.hostname}:${portOf(url)}`;

export const proxyName = ({ url }: ProxyConfig): string => hostOf(new URL(url.reveal()));

/**
 * The proxy for a URL by `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY`, as curl and Go read them: the lower-case names win,
 * and this machine is never behind a proxy. A variable is checked only where it is used.
 */
export function proxyFor(url: URL, env: Environment): Read<ProxyConfig | undefined> {
  if (isLoopback(url.hostname) || isDirect(url, eitherCase(env, 'NO_PROXY').text ?? '')) return { value: undefined };
  const found = eitherCase(env, url.protocol === 'https:' ? 'HTTPS_PROXY' : 'HTTP_PROXY');
  if (isBlank(found)) return { value: undefined };
  const schema = z.strictObject({ url: proxyFromVariable().optional() });
  const read = readVariables(schema, { url: found });
  if ('problems' in read) return read;
  return { value: read.value.url && { url: read.value.url } };
}

function eitherCase(env: Environment, name: string): Variable {
  const lower = variable(env, name.toLowerCase());
  return isBlank(lower) ? variable(env, name) : lower;
}

const isBlank = ({ text = '' }: Variable): boolean => text.trim() === '';

/** Whether `NO_PROXY` names the host: by name, domain, address, range of addresses or `*`, each perhaps with a port. */
export function isDirect(url: URL, noProxy: string): boolean {
  const host = bare(url.hostname);
  const port = portOf(url);
  return noProxy
    .split(/[\s,]+/)
    .filter(entry => entry !== '')
    .some(entry => matches(entry, host, port));
}

function matches(entry: string, host: string, port: string): boolean {
  const [, name = entry, only] = /^((?:\[[^\]]*\])?[^:]*):(\d+)$/.exec(entry) ?? [];
  if (only !== undefined && only !== port) return false;
  if (name === '*') return true;
  if (isIP(host) !== 0) return holdsAddress(bare(name), host);
  const wanted = bare(name);
  const domain = inAscii(wanted.replace(/^\*?\./, ''));
  return domain !== '' && (host.endsWith(`.${domain}`) || (host === domain && !wanted.startsWith('*')));
}

/** An internationalized name as in the host name of a URL. */
function inAscii(name: string): string {
  const url = `http://${name}`;
  return /^[!-~]*$/.test(name) || !URL.canParse(url) ? name : new URL(url).hostname;
}

/** An address, or a range in CIDR notation. Anything else holds none. */
function holdsAddress(range: string, address: string): boolean {
  const [network = '', bits, ...rest] = range.split('/');
  const family = isIP(network);
  const longest = family === 4 ? 32 : 128;
  const length = bits === undefined ? longest : /^\d{1,3}$/.test(bits) ? Number(bits) : Infinity;
  if (family === 0 || rest.length > 0 || length > longest) return false;
  const list = new BlockList();
  list.addSubnet(network, length, family === 4 ? 'ipv4' : 'ipv6');
  return list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6');
}

/** In lower case, without the brackets of an IPv6 address and the dot of the root. */
const bare = (host: string): string =>
  host
    .toLowerCase()
    .replace(/^\[([^\]]*)\](?=$|\/)/, '$1')
    .replace(/(.)\.$/, '$1');
