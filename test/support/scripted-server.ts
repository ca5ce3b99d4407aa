import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer, type ServerOptions } from 'node:https';
import type { AddressInfo } from 'node:net';

/** What a test sees of a request. */
export type Asked = Readonly<{
  method: string;
  /** Path and query. */
  url: string;
  authorization: string | undefined;
  /** The fields of a posted form. */
  form: Readonly<Record<string, string>>;
}>;

/** What the server does about it: answers, or calls for something that only a broken server does. */
export type Reply = Readonly<{
  status?: number;
  json?: unknown;
  body?: string;
  headers?: Readonly<Record<string, string>>;
  /** Closes the connection after the headers and this much of the body. */
  cutAfter?: number;
  /** Never answers. */
  silent?: boolean;
}>;

export type Script = (asked: Asked) => Reply | Promise<Reply>;

export type ScriptedServer = Readonly<{
  url: URL;
  /** Every request so far, oldest first. */
  asked: readonly Asked[];
  /** From now on the server follows this script. */
  follow(script: Script): void;
  /** Shows another certificate from the next connection on, and closes those that are open. */
  show(identity: Readonly<{ key: string; cert: string }>): void;
  close(): Promise<void>;
}>;

/**
 * A real HTTP server on a free port of the loopback that does what the script says. It adds no `Date`.
 * With `tls` it speaks HTTPS.
 */
export async function scriptedServer(script: Script, tls?: ServerOptions): Promise<ScriptedServer> {
  let current = script;
  const asked: Asked[] = [];
  async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const one = await read(request);
    asked.push(one);
    perform(response, await current(one));
  }
  const listener = (request: IncomingMessage, response: ServerResponse): void => void serve(request, response);
  const secure = tls === undefined ? undefined : createTlsServer(tls, listener);
  const server = secure ?? createServer(listener);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`${tls === undefined ? 'http' : 'https'}://127.0.0.1:${String(port)}`),
    asked,
    show: identity => {
      secure?.setSecureContext(identity);
      secure?.closeAllConnections();
    },
    follow: next => {
      current = next;
    },
    close: async () => close(server),
  };
}

async function read(request: IncomingMessage): Promise<Asked> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  return {
    method: request.method ?? '',
    url: request.url ?? '',
    authorization: request.headers.authorization,
    form: Object.fromEntries(new URLSearchParams(Buffer.concat(chunks).toString())),
  };
}

function perform(
  response: ServerResponse,
  { status = 200, json, body, headers, cutAfter, silent = false }: Reply,
): void {
  if (silent) return;
  const text = body ?? JSON.stringify(json) ?? '';
  response.sendDate = false;
  const length = String(Buffer.byteLength(text));
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': length,
    ...headers,
  });
  if (cutAfter === undefined) response.end(text);
  else response.write(text.slice(0, cutAfter), () => response.destroy());
}

async function close(server: Server): Promise<void> {
  server.closeAllConnections();
  await new Promise(resolve => server.close(resolve));
}
