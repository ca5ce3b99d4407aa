import { lookup } from 'node:dns/promises';
import { connect, isIP } from 'node:net';
import type { ServerConfig } from '../config/parse.js';
import { isLoopback } from '../config/values.js';
import { portOf, proxyName } from '../config/proxy.js';
import { ExporterError } from '../kernel/errors.js';
import { examineTls, type TlsReport } from '../source/examine.js';
import type { RestOptions } from '../source/options.js';
import type { Certificate } from '../source/trust.js';
import { networkFailure } from '../source/request-errors.js';
import { type Check, type CheckOutcome, failed, ok, skipped, warning } from './doctor-checks.js';
import { fileAdvice } from './referenced-files.js';

/** Same as the exporter. */
const connectTimeoutMs = 10_000;

/** Same as the alert on certificate expiry. */
const minValidityMs = 30 * 86_400_000;

/** Name resolution, TCP connection and TLS handshake. With a proxy, the first two are the proxy's. */
export function networkChecks(server: ServerConfig, options: RestOptions, signal: AbortSignal): readonly Check[] {
  const { url, proxy } = server;
  const direct = (run: () => Promise<CheckOutcome>) => async () =>
    proxy === undefined
      ? run()
      : skipped(`because the proxy "${proxyName(proxy)}" is used, here and by the next checks`);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(portOf(url));
  return [
    {
      name: 'dns',
      run: direct(async () => resolveHost(host, port)),
      advise: () => 'correct the host in "url", or the DNS servers of this machine',
    },
    {
      name: 'tcp',
      needs: ['dns'],
      run: direct(async () => connectTo(host, port, signal)),
      advise: () =>
        'check that the REST API is enabled (General Options, REST API), that "url" has its port (default 4443), and that no firewall blocks the connection',
    },
    {
      name: 'tls',
      needs: ['dns', 'tcp'],
      run: async () => {
        if (url.protocol === 'http:') return unencrypted(url);
        const report = await examineTls(options, signal);
        const outcome = certificateOutcome(server.tls, report, options.clock.now());
        return { ...outcome, fingerprint: report.chain[0]?.fingerprint };
      },
      advise: error =>
        fileAdvice(error) ??
        'check that "url" has the port of the REST API (default 4443), and that the proxy, if any, allows the connection',
    },
  ];
}

async function resolveHost(host: string, port: number): Promise<CheckOutcome> {
  if (isIP(host) !== 0) return ok(`"${host}" is an IP address`);
  try {
    const found = await lookup(host, { all: true });
    return ok(`"${host}" resolves to ${found.map(({ address }) => address).join(', ')}`);
  } catch (thrown) {
    throw networkFailure(thrown, { host: `${host}:${String(port)}` });
  }
}

async function connectTo(host: string, port: number, signal: AbortSignal): Promise<CheckOutcome> {
  const { promise, resolve, reject } = Promise.withResolvers<CheckOutcome>();
  const socket = connect({ host, port, signal: AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]) });
  socket.once('connect', () => resolve(ok(`port ${String(port)} accepts connections`)));
  socket.once('error', error => reject(connectFailure(error, `${host}:${String(port)}`)));
  return promise.finally(() => socket.destroy());
}

const connectFailure = (error: Error, host: string): ExporterError =>
  error.name === 'AbortError'
    ? new ExporterError('timeout', `Could not connect to "${host}": no answer in ${String(connectTimeoutMs)} ms`)
    : networkFailure(error, { host });

const unencrypted = ({ hostname }: URL): CheckOutcome =>
  isLoopback(hostname)
    ? skipped('because "url" is http')
    : warning('"url" is http: anyone between the exporter and the server can read the password', 'use https');

function certificateOutcome(
  tls: ServerConfig['tls'],
  { protocol, chain, distrusted }: TlsReport,
  nowMs: number,
): CheckOutcome {
  const [own] = chain;
  if (own === undefined)
    return failed('the server presents no certificate', 'check that "url" has the port of the REST API');
  const shown = `(${protocol}; ${chain.map(describe).join(' < ')})`;
  if (distrusted !== undefined)
    return failed(
      `${distrusted.split(';')[0] ?? distrusted} ${shown}`,
      'set "tls.ca_file" to its issuer; or compare the fingerprint with the one that the server itself shows, and add it below "tls"',
    );
  if (tls.insecureSkipVerify)
    return warning(
      `not verified because of "tls.insecure_skip_verify" ${shown}`,
      'compare the fingerprint with the one that the server itself shows, and set it below "tls" instead',
    );
  if (own.validToMs - nowMs < minValidityMs)
    return warning(`trusted, but it expires on ${dayOf(own.validToMs)} ${shown}`, 'renew the certificate in time');
  return ok(`trusted ${shown}`);
}

/** The subject has one attribute per line. */
const describe = ({ subject, validToMs }: Certificate): string =>
  `"${subject.replaceAll(/\s*\n\s*/g, ', ')}" until ${dayOf(validToMs)}`;

const dayOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10);
