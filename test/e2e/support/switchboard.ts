import { once } from 'node:events';
import { createServer, connect, type Socket } from 'node:net';
import { systemClock } from '../../../src/kernel/clock.js';

/** A TCP port that leads to another one. */
export interface Switchboard {
  readonly port: number;
  /** New connections lead to this port of 127.0.0.1; those that exist end. */
  to(port: number): void;
  /** Answers come so many ms later; `Infinity`: never. */
  delay(ms: number): void;
  /** Ends every connection. */
  cut(): void;
  close(): Promise<void>;
}

export async function switchboard(first: number): Promise<Switchboard> {
  let [target, delayMs] = [first, 0];
  const sockets = new Set<Socket>();
  const over = new AbortController();
  const cut = (): void => sockets.forEach(socket => socket.destroy());
  const server = createServer(client => {
    const behind = connect(target, '127.0.0.1');
    for (const socket of [client, behind]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.once('close', () => {
        sockets.delete(socket);
        (socket === client ? behind : client).destroy();
      });
    }
    client.pipe(behind);
    behind.on('data', chunk => {
      if (delayMs === Infinity) return;
      void systemClock.sleep(delayMs, over.signal).then(
        () => client.write(chunk),
        () => undefined,
      );
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    to: port => {
      target = port;
      cut();
    },
    delay: ms => void (delayMs = ms),
    cut,
    close: async () => {
      over.abort();
      server.close();
      cut();
      await once(server, 'close');
    },
  };
}
