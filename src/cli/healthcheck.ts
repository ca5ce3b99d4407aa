import { get } from 'node:http';
import type { ListenAddress } from '../web/listen.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

/** How long the exporter may take to say that it is well. */
const timeoutMs = 2_000;

/** Asks a running exporter on this machine whether it is healthy; for container health checks. */
export async function healthcheck({ host, port }: ListenAddress, terminal: Terminal): Promise<ExitCode> {
  const everywhere = host === undefined || host === '0.0.0.0' || host === '::';
  const answer = await ask(everywhere ? '127.0.0.1' : host, port);
  if (answer === '200') return exitCodes.stopped;
  terminal.complain(`Not healthy: ${answer}`);
  return exitCodes.cannotRun;
}

/** The status, or what went wrong instead. */
async function ask(host: string, port: number): Promise<string> {
  return new Promise(resolve => {
    const request = get({ host, port, path: '/-/healthy', timeout: timeoutMs }, response => {
      response.resume();
      resolve(String(response.statusCode));
    });
    request.once('timeout', () => {
      request.destroy();
      resolve('no answer in time');
    });
    request.once('error', () => {
      resolve('nobody answers there');
    });
  });
}
