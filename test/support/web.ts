import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { systemClock } from '../../src/kernel/clock.js';
import type { ExporterError } from '../../src/kernel/errors.js';
import { listen, type Listening } from '../../src/web/listen.js';
import type { ServerStatus, Status } from '../../src/web/landing-page.js';
import { openWeb } from '../../src/config/web-config.js';
import { createWeb, type WebOptions } from '../../src/web/web.js';

export const aServer = (over: Partial<ServerStatus> = {}): ServerStatus => ({
  name: 'hq',
  origin: 'https://vb365.example.com:4443',
  state: 'up',
  error: '',
  apiVersion: 'v6',
  version: '6.1.0.423',
  lastPollAgoMs: 12_000,
  open: [
    { id: '11111111-1111-4111-8111-111111111111', ageMs: 420_000, events: 7 },
    { id: '22222222-2222-4222-8222-222222222222', ageMs: 8_000_000, events: 1234 },
  ],
  sinks: [
    { name: 'metrics', backlog: 0 },
    { name: 'logs', backlog: 3 },
  ],
  ...over,
});

export const aStatus = (servers: readonly ServerStatus[] = [aServer()]): Status => ({
  version: '1.2.3',
  at: '2026-11-25T09:00:00.0000000Z',
  servers,
  failed: [],
});

/** Options that answer well; `reported` holds the errors passed to `report`. */
export function webOptions(over: Partial<WebOptions> = {}): WebOptions & { reported: ExporterError[] } {
  const reported: ExporterError[] = [];
  return {
    reported,
    metricsPath: '/metrics',
    metrics: async () => ({ body: Buffer.from('vb365_up 1\n'), delivered: () => undefined }),
    clock: systemClock,
    ready: () => ({ ready: true, why: 'every server was polled' }),
    status: () => aStatus(),
    reload: undefined,
    loginRefused: () => undefined,
    webConfig: () => openWeb,
    report: error => void reported.push(error),
    ...over,
  };
}

export const serve = async (over: Partial<WebOptions> = {}): Promise<Listening> =>
  listen({ app: createWeb(webOptions(over)), host: '127.0.0.1', port: 0 });

export type Reply = Readonly<{ status: number; headers: Record<string, string | string[] | undefined>; body: string }>;

/** One request on a new connection. The path is sent as it is. */
export async function ask(
  port: number,
  path: string,
  method = 'GET',
  headers: Readonly<Record<string, string>> = {},
): Promise<Reply> {
  const { promise, resolve, reject } = Promise.withResolvers<Reply>();
  request({ host: '127.0.0.1', port, path, method, headers, agent: false }, response => {
    const chunks: Buffer[] = [];
    response.on('data', (chunk: Buffer) => void chunks.push(chunk));
    response.on('end', () => {
      const body = Buffer.concat(chunks).toString();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, body });
    });
  })
    .on('error', reject)
    .end();
  return promise;
}

/** A connection on which `text` is sent; resolves once something came back, or at once when nothing is sent. */
export async function connection(
  port: number,
  text = '',
): Promise<Readonly<{ socket: Socket; closed: Promise<void> }>> {
  const socket = connect(port, '127.0.0.1');
  const closed = Promise.withResolvers<void>();
  socket.once('close', () => closed.resolve()).on('error', () => undefined);
  const ready = Promise.withResolvers<void>();
  socket.once(text === '' ? 'connect' : 'data', () => ready.resolve());
  socket.write(text);
  await ready.promise;
  return { socket, closed: closed.promise };
}
