import type { TLSSocket } from 'node:tls';
import { ExporterError } from '../kernel/errors.js';
import { createConnectionPool, hostOf } from './dispatcher.js';
import { type RestOptions, settingsOf } from './options.js';
import { networkFailure } from './request-errors.js';
import { type Certificate, chainOf, distrustOf } from './trust.js';

/** The outcome of a TLS handshake with a server. */
export type TlsReport = Readonly<{
  /** Such as `TLSv1.3`. */
  protocol: string;
  /** The server's own certificate first. */
  chain: readonly Certificate[];
  /** Why the server is not trusted and what to do about it; undefined when it is. */
  distrusted: string | undefined;
}>;

/**
 * Reads the certificates of a server, trusted or not, by the route of all requests, through a proxy if there is one.
 * Sends nothing but `HEAD /`, without a token.
 * @throws {ExporterError} `network` when there is no handshake, or no TLS.
 */
export async function examineTls(options: RestOptions, signal: AbortSignal): Promise<TlsReport> {
  const settings = settingsOf(options);
  let report: TlsReport | undefined;
  const refusal = (socket: TLSSocket): undefined => {
    report = {
      protocol: socket.getProtocol() ?? '',
      chain: chainOf(socket),
      distrusted: distrustOf(socket, settings.trust),
    };
  };
  const host = hostOf(settings.baseUrl);
  const pool = createConnectionPool({ ...settings, refusal });
  try {
    const dispatcher = await pool.dispatcher();
    const { body } = await dispatcher.request({
      origin: settings.baseUrl.origin,
      path: '/',
      method: 'HEAD',
      signal: AbortSignal.any([signal, AbortSignal.timeout(settings.requestTimeoutMs)]),
    });
    await body.dump();
  } catch (thrown) {
    // A failure after the handshake does not matter here.
    if (report === undefined) throw networkFailure(thrown, { host, proxied: settings.proxy !== undefined });
  } finally {
    await pool.destroy();
  }
  if (report !== undefined) return report;
  throw new ExporterError('network', `Could not read the certificate of "${host}": no TLS`);
}
