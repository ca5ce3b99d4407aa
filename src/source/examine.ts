import type { TLSSocket } from 'node:tls';
import { ExporterError } from '../kernel/errors.js';
import { connections, hostOf } from './dispatcher.js';
import { networkFailure } from './request-errors.js';
import { settingsOf, type RestOptions, type RestSettings } from './options.js';
import { type Certificate, chainOf, distrustOf } from './peer.js';

/** What a TLS handshake with a server shows. */
export type TlsReport = Readonly<{
  /** Such as `TLSv1.3`. */
  protocol: string;
  /** Its own certificate first. */
  chain: readonly Certificate[];
  /** Why it is not the one to be trusted, and what to do about it; undefined when it is. */
  distrusted: string | undefined;
}>;

/**
 * Looks at the certificates of a server, be it trusted or not, on the way that requests take, through a proxy if there
 * is one. Sends nothing but `HEAD /`, without a token.
 * @throws {ExporterError} `network` when there is no handshake, or no TLS.
 */
export async function examineTls(options: RestOptions, signal: AbortSignal): Promise<TlsReport> {
  const settings = settingsOf(options);
  let report: TlsReport | undefined;
  const way = connections({
    ...settings,
    refusal: socket => {
      report = reportOf(socket, settings);
      return undefined;
    },
  });
  try {
    const deadline = AbortSignal.any([signal, AbortSignal.timeout(settings.requestTimeoutMs)]);
    const dispatcher = await way.fresh();
    const { body } = await dispatcher.request({
      origin: settings.baseUrl.origin,
      path: '/',
      method: 'HEAD',
      signal: deadline,
    });
    await body.dump();
  } catch (thrown) {
    // After the handshake nothing matters: that is not what was asked.
    if (report === undefined)
      throw networkFailure(thrown, { host: hostOf(settings.baseUrl), proxied: settings.proxy !== undefined });
  } finally {
    await way.destroy();
  }
  if (report !== undefined) return report;
  throw new ExporterError('network', `Could not look at the certificate of "${hostOf(settings.baseUrl)}": no TLS`);
}

const reportOf = (socket: TLSSocket, { trust }: RestSettings): TlsReport => ({
  protocol: socket.getProtocol() ?? '',
  chain: chainOf(socket),
  distrusted: distrustOf(socket, trust),
});
