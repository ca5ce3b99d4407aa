import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { ServerConfig } from '../config/parse.js';
import { ExporterError } from '../kernel/errors.js';
import { networkFailure } from '../source/request-errors.js';
import { type Check, type CheckResult, ok, skipped } from './doctor-result.js';

/** As long as the exporter itself waits for a connection. */
const connectTimeoutMs = 10_000;

/** Whether the host can be found and reached, without a word said to it. Through a proxy, that is the proxy's work. */
export function networkChecks({ url, proxy }: ServerConfig, signal: AbortSignal): readonly Check[] {
  const direct = (look: () => Promise<CheckResult>) => async () =>
    proxy === undefined
      ? look()
      : skipped('because a proxy may be between; what follows goes the way the exporter goes');
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (url.protocol === 'http:' ? 80 : 443));
  return [
    {
      name: 'dns',
      needs: [],
      look: direct(async () => resolved(host, port)),
      advise: () => 'correct the host in "url", or the DNS servers of this machine',
    },
    {
      name: 'tcp',
      needs: ['dns'],
      look: direct(async () => reached(host, port, signal)),
      advise: () =>
        'see that the REST API is switched on (General Options, REST API), that "url" has its port (4443 unless changed), and that no firewall is between',
    },
  ];
}

async function resolved(host: string, port: number): Promise<CheckResult> {
  if (isIP(host) !== 0) return ok(`"${host}" is an address`);
  try {
    const found = await lookup(host, { all: true });
    return ok(`"${host}" is ${found.map(({ address }) => address).join(', ')}`);
  } catch (thrown) {
    throw networkFailure(thrown, { host: `${host}:${String(port)}`, proxied: false });
  }
}

async function reached(host: string, port: number, signal: AbortSignal): Promise<CheckResult> {
  const { promise, resolve, reject } = Promise.withResolvers<CheckResult>();
  const socket = connect({ host, port, signal: AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]) });
  socket.once('connect', () => resolve(ok(`port ${String(port)} takes connections`)));
  socket.once('error', error => reject(refusal(error, `${host}:${String(port)}`)));
  return promise.finally(() => socket.destroy());
}

const refusal = (error: Error, host: string): ExporterError =>
  error.name === 'AbortError'
    ? new ExporterError('timeout', `Could not connect to "${host}": no answer in ${String(connectTimeoutMs)} ms`)
    : networkFailure(error, { host, proxied: false });
