import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import type { WebConfig } from '../config/web-config.js';
import { type ListenAddress, parseListenAddress } from '../web/listen.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';
import { readWebConfig } from './web-config-file.js';

type HealthcheckFlags = Readonly<{ 'web.listenAddress': string; 'web.config.file'?: string }>;

/**
 * Checks whether the exporter on this machine is healthy; for container health checks. Does not verify its certificate,
 * which is for the host name that others use.
 */
export async function healthcheck(flags: HealthcheckFlags, terminal: Terminal): Promise<ExitCode> {
  const { tls } = readWebConfig(flags['web.config.file']);
  const problem = await healthProblem(parseListenAddress(flags['web.listenAddress']), tls);
  if (problem === undefined) return exitCodes.stopped;
  terminal.printError(`Not healthy: ${problem}`);
  return exitCodes.cannotRun;
}

/** Undefined when the exporter at an address is healthy; otherwise the HTTP status of `/-/healthy`, or what failed. */
export async function healthProblem({ host, port }: ListenAddress, tls: WebConfig['tls']): Promise<string | undefined> {
  const { promise, resolve } = Promise.withResolvers<string | undefined>();
  const isWildcard = host === undefined || host === '0.0.0.0' || host === '::';
  const address = { host: isWildcard ? '127.0.0.1' : host, port, path: '/-/healthy' };
  const options = { ...address, timeout: 2_000, rejectUnauthorized: false };
  const request = (tls === undefined ? getHttp : getHttps)(options, response => {
    response.resume();
    resolve(response.statusCode === 200 ? undefined : String(response.statusCode));
  });
  let handshakeDone = false;
  request.once('socket', socket => void socket.once('secureConnect', () => (handshakeDone = true)));
  request.once('timeout', () => {
    resolve('timeout');
    request.destroy();
  });
  // Without a client certificate, a refusal after the handshake is the best possible answer: the exporter runs.
  request.once('error', () =>
    resolve(handshakeDone && tls?.clientAuth.startsWith('Require') === true ? undefined : 'connection failed'),
  );
  return promise;
}
