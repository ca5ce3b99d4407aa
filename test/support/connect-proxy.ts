import { createServer } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';

export type ConnectProxy = Readonly<{
  /** With no credentials. */
  url: URL;
  /** What was asked for, as `host:port`, and with which credentials. */
  asked: readonly Readonly<{ target: string; authorization: string | undefined }>[];
  close(): Promise<void>;
}>;

export type ProxyOptions = Readonly<{
  /** Lets in nobody without it. */
  authorization?: string | undefined;
  /** Never answers the first so many. */
  silentFor?: number;
}>;

/** A real HTTP proxy on a free port that knows `CONNECT` only. */
export async function connectProxy({ authorization, silentFor = 0 }: ProxyOptions = {}): Promise<ConnectProxy> {
  const asked: { target: string; authorization: string | undefined }[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((_request, response) => void response.writeHead(400).end());
  server.on('connection', socket => sockets.add(socket));
  server.on('connect', (request, client, head) => {
    const given = request.headers['proxy-authorization'];
    asked.push({ target: request.url ?? '', authorization: given });
    if (asked.length <= silentFor) return undefined;
    if (authorization !== undefined && given !== authorization)
      return void client.end('HTTP/1.1 407 Proxy Authentication Required\r\n\r\n');
    const { hostname, port } = new URL(`http://${request.url ?? ''}`);
    const upstream = connect(Number(port), hostname, () => {
      client.write('HTTP/1.1 200 Connection established\r\n\r\n');
      upstream.write(head);
      upstream.pipe(client).pipe(upstream);
    });
    sockets.add(upstream);
    upstream.on('error', () => void client.end('HTTP/1.1 502 Bad Gateway\r\n\r\n'));
    client.on('error', () => upstream.destroy());
    return undefined;
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${String(port)}`),
    asked,
    close: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise(resolve => server.close(resolve));
    },
  };
}
