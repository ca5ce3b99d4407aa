// What all processes around an exporter do: they say where they are, and follow commands, line by line.
import type { Server } from 'node:http';
import { createInterface } from 'node:readline';
import { say } from './stats.js';

/** What is done on a word; `rest` is what stands behind it on its line. */
export type Orders = Readonly<Record<string, (rest: string) => void>>;

/** Follows the commands on standard input. An unknown command does nothing. */
export function obey(orders: Orders): void {
  createInterface(process.stdin).on('line', line => {
    const [word = ''] = line.split(' ', 1);
    orders[word]?.(line.slice(word.length).trim());
  });
}

/** Says something, as one line of JSON. */
export const report = (what: unknown): void => say(JSON.stringify(what));

/** Listens on a free port, and says at which address. */
export function listenAndReport(server: Server): void {
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    const port = typeof address === 'object' ? address?.port : undefined;
    report({ url: `http://127.0.0.1:${String(port)}` });
  });
}
