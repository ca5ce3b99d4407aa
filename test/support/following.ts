import { put } from './discovery-rig.js';
import { fedLine } from './fed.js';
import { event, session } from './server-run.js';

export const minute = 60_000;

/** A line that has looked at its first list and waits for the feed. */
export async function following(options: Parameters<typeof fedLine>[0] = {}) {
  const line = fedLine(options);
  line.start();
  await line.clock.advance(0);
  return line;
}

type Line = Awaited<ReturnType<typeof following>>;

export function open(line: Line, id: string, eTag = '1'): void {
  line.server.held.set(id, session({ id, createdAt: line.server.at, eTag }));
  put(line.server, id, event(0, { id: `${id}-0`, endedAt: line.server.at }));
}

export const append = (line: Line, id: string, order: number): void =>
  put(line.server, id, event(order, { id: `${id}-${String(order)}`, endedAt: line.server.at }));

export function change(line: Line, id: string, eTag: string): void {
  const held = line.server.held.get(id);
  if (held !== undefined) line.server.held.set(id, { ...held, eTag });
}
