import { get as getPlain, type RequestOptions } from 'node:http';
import { get as getSecure } from 'node:https';
import type { ListenAddress } from '../web/listen.js';
import type { WebConfig } from '../config/web-config.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

/** How long the exporter may take to say that it is well. */
const timeoutMs = 2_000;

/**
 * Asks a running exporter on this machine whether it is healthy; for container health checks. Over TLS its certificate
 * is not checked: it is for the name that others use, and this is the machine itself.
 */
export async function healthcheck(
  address: ListenAddress,
  tls: WebConfig['tls'],
  terminal: Terminal,
): Promise<ExitCode> {
  const answer = await askHealth(address, tls);
  if (answer === healthy) return exitCodes.stopped;
  terminal.complain(`Not healthy: ${answer}`);
  return exitCodes.cannotRun;
}

/** The answer of an exporter that is well. */
export const healthy = '200';

/** The status that whoever listens there answers, or what went wrong instead. */
export async function askHealth({ host, port }: ListenAddress, tls: WebConfig['tls']): Promise<string> {
  const everywhere = host === undefined || host === '0.0.0.0' || host === '::';
  return ask({ host: everywhere ? '127.0.0.1' : host, port }, tls);
}

async function ask(where: RequestOptions, tls: WebConfig['tls']): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const options = { ...where, path: '/-/healthy', timeout: timeoutMs, rejectUnauthorized: false };
  const request = (tls === undefined ? getPlain : getSecure)(options, response => {
    response.resume();
    resolve(String(response.statusCode));
  });
  let greeted = false;
  request.once('socket', socket => void socket.once('secureConnect', () => (greeted = true)));
  request.once('timeout', () => {
    resolve('no answer in time');
    request.destroy();
  });
  // We have no client certificate: being shown the door is all the answer we can get, and shows that somebody is there.
  request.once('error', () =>
    resolve(greeted && tls?.clientAuth.startsWith('Require') === true ? healthy : 'nobody answers there'),
  );
  return promise;
}
