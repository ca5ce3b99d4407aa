import { get as getHttp } from 'node:http';
import { get as getHttps } from 'node:https';
import type { WebConfig } from '../config/web-config.js';
import type { ListenAddress } from '../web/listen.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

const timeoutMs = 2_000;

/**
 * Checks whether the exporter on this machine is healthy; for container health checks. Does not verify its certificate,
 * which is for the host name that others use.
 */
export async function healthcheck(
  address: ListenAddress,
  tls: WebConfig['tls'],
  terminal: Terminal,
): Promise<ExitCode> {
  const answer = await askHealth(address, tls);
  if (answer === healthy) return exitCodes.stopped;
  terminal.printError(`Not healthy: ${answer}`);
  return exitCodes.cannotRun;
}

/** The answer of a healthy exporter. */
export const healthy = '200';

/** The HTTP status of `/-/healthy`, or what went wrong. */
export async function askHealth({ host, port }: ListenAddress, tls: WebConfig['tls']): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const isWildcard = host === undefined || host === '0.0.0.0' || host === '::';
  const address = { host: isWildcard ? '127.0.0.1' : host, port };
  const options = { ...address, path: '/-/healthy', timeout: timeoutMs, rejectUnauthorized: false };
  const request = (tls === undefined ? getHttp : getHttps)(options, response => {
    response.resume();
    resolve(String(response.statusCode));
  });
  let handshakeDone = false;
  request.once('socket', socket => void socket.once('secureConnect', () => (handshakeDone = true)));
  request.once('timeout', () => {
    resolve('timeout');
    request.destroy();
  });
  // Without a client certificate, a refusal after the handshake is the best possible answer: the exporter runs.
  request.once('error', () =>
    resolve(handshakeDone && tls?.clientAuth.startsWith('Require') === true ? healthy : 'connection failed'),
  );
  return promise;
}
