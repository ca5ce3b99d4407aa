import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A port that leads to another one, with connections that come from `address`: all of 127.0.0.0/8 is this machine. */
export async function fromAddress(
  address: string,
  port: number,
): Promise<Readonly<{ port: number; close: () => Promise<void> }>> {
  const sockets = new Set<Socket>();
  const server = createServer(near => {
    const far = connect({ host: '127.0.0.1', port, localAddress: address });
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one
        .on('error', () => undefined)
        .once('close', () => {
          sockets.delete(one);
          other.destroy();
        });
      one.pipe(other);
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  if (bound === null || typeof bound === 'string') throw new Error('A listening socket has no port');
  const close = async (): Promise<void> => {
    const closed = once(server.close(), 'close');
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return { port: bound.port, close };
}
