import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import type { RestoreEvent } from '../../src/model/event.js';
import type { Session } from '../../src/model/session.js';
import { milliseconds } from '../../src/model/time.js';
import { runLine } from '../../src/pipeline/line.js';
import type { Sink, Source } from '../../src/pipeline/ports.js';
import { memoryStore } from '../../src/store/memory.js';
import { fakeClock, settle } from './fake-clock.js';
import { event, page, second, session } from './line.js';
import { logsTo } from './logs.js';
import { recordsOf } from './otlp-receiver.js';
import { uidOf } from './picky-receiver.js';

/** What came of a day without a receiver. */
export type OutageReport = Readonly<{
  /** Requests that the receiver refused in 24 hours. */
  refused: number;
  /** The most events that metrics were behind by at any look, once every poll interval. */
  mostBehind: number;
  /** Of the heap, from the first hour to the last, garbage collected. */
  grownBytes: number;
  /** Events that arrived afterwards: numbers, from the oldest on, as they came. */
  arrived: readonly number[];
}>;

const dayMs = 86_400_000;
const pollMs = 30_000;

/**
 * A day on a simulated clock: restore sessions come in evenly, metrics take them, the log receiver answers 503; then it
 * is back. The source makes events up as it is asked, so that whoever keeps them is seen on the heap.
 */
export async function outage(sessions: number, perSession: number): Promise<OutageReport> {
  const clock = fakeClock(dayMs);
  const receiver = await countingReceiver();
  const logs = inFlight(logsTo(receiver.url));
  const quit = new AbortController();
  let counted = 0;
  const metrics: Sink = { name: 'metrics', deliver: async batch => ((counted += batch.events.length), { deltas: [] }) };
  const spacingMs = Math.floor((dayMs - 2 * pollMs) / sessions);
  const source = madeUpSource(() => clock.now(), { sessions, perSession, spacingMs });
  const running = runLine(
    {
      ...{ server: 'hq', source, sinks: [metrics, logs.sink], store: memoryStore(), clock, random: () => 0.5 },
      ...{ intervals: { idleMs: pollMs, openMs: pollMs }, grace: 3600n * second, beginAt: () => 0n, born: () => [] },
      stored: () => undefined,
      observer: { met: () => undefined, discovered: () => undefined, delivered: () => undefined },
    },
    { quit: quit.signal, cut: quit.signal },
  );
  const pass = async (): Promise<void> => {
    await clock.advance(pollMs);
    await logs.quiet();
  };
  let mostBehind = 0;
  let baseline = 0;
  for (let passedMs = 0; passedMs < dayMs; passedMs += pollMs) {
    // Everything that was there at the poll before must have been counted by now.
    const before = held(clock.now() - dayMs - pollMs, { sessions, perSession, spacingMs });
    mostBehind = Math.max(mostBehind, before - counted);
    if (passedMs === 3_600_000) baseline = heapUsed();
    await pass();
  }
  const grownBytes = heapUsed() - baseline;
  const { refused } = receiver;
  receiver.recover();
  for (let turns = 0; turns < 20 && receiver.arrived.length < sessions * perSession; turns += 1) await pass();
  quit.abort();
  await running;
  await logs.close();
  await receiver.close();
  return { refused: refused(), mostBehind, grownBytes, arrived: receiver.arrived };
}

type Plan = Readonly<{ sessions: number; perSession: number; spacingMs: number }>;

/** How many events there are at `atMs` after the beginning. */
const held = (atMs: number, { sessions, perSession, spacingMs }: Plan): number =>
  atMs < 0 ? 0 : Math.min(sessions, Math.floor(atMs / spacingMs) + 1) * perSession;

function madeUpSource(nowMs: () => number, plan: Plan): Source {
  const createdMs = (n: number): number => dayMs + n * plan.spacingMs;
  const sessionAt = (n: number): Session => {
    const createdAt = milliseconds(createdMs(n));
    return session({ id: `s${String(n)}`, createdAt, endedAt: createdAt + 1_000_000n, open: false });
  };
  const numberOf = (id: string): number => Number(id.slice(1));
  return {
    now: () => milliseconds(nowMs()),
    instance: async () => ({ apiVersion: 'v6', version: '6.0', installationId: 'i' }),
    sessions: async from => {
      const there = held(nowMs() - dayMs, plan) / plan.perSession;
      const first = from === undefined ? 0 : Math.max(0, (Number(from / 1_000_000n) - dayMs) / plan.spacingMs - 1);
      const numbers = Array.from({ length: there }, (_, n) => n).slice(Math.floor(first));
      return { sessions: numbers.map(sessionAt), rejects: [] };
    },
    session: async id => sessionAt(numberOf(id)),
    events: async (id, offset) => {
      const n = numberOf(id);
      const length = Math.max(0, plan.perSession - offset);
      const events = Array.from({ length }, (_, index) => madeUpEvent(n, offset + index, createdMs(n), plan));
      return page(
        events.map(one => ({ order: one.order, event: one })),
        { offset, readAt: milliseconds(nowMs()) },
      );
    },
  };
}

function madeUpEvent(n: number, order: number, createdMs: number, { perSession }: Plan): RestoreEvent {
  const endedAt = milliseconds(createdMs) + BigInt(order);
  const message = Buffer.alloc(1_500, `${String(n)}/${String(order)} `).toString('latin1');
  return event(order, { id: String(n * perSession + order), startedAt: endedAt, endedAt, message });
}

/** A sink, and a way to wait until nothing of it is on the wire: a simulated clock knows nothing of sockets. */
function inFlight({ close, ...inner }: Sink & { close: () => Promise<void> }) {
  let pending: Promise<unknown> | undefined;
  const sink: Sink = {
    name: inner.name,
    deliver: async (batch, signal) => {
      const delivering = inner.deliver(batch, signal);
      pending = delivering;
      return delivering;
    },
  };
  const quiet = async (): Promise<void> => {
    while (pending !== undefined) {
      const now = pending;
      // oxlint-disable-next-line no-await-in-loop -- a delivery may be followed by another
      await now.catch(() => undefined);
      // oxlint-disable-next-line no-await-in-loop -- which is begun in the turns of the loop that come now
      await settle();
      if (pending === now) pending = undefined;
    }
  };
  return { sink, quiet, close };
}

/** Answers 503 until it recovers; then it takes everything, and keeps only the numbers of the events. */
async function countingReceiver() {
  const arrived: number[] = [];
  let refused = 0;
  let up = false;
  const server: Server = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request);
      if (up) arrived.push(...numbersOf(body));
      else refused += 1;
      response.writeHead(up ? 200 : 503).end('{}');
    })();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${String(port)}/v1/logs`),
    arrived,
    refused: () => refused,
    recover: () => void (up = true),
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

const numbersOf = (body: Buffer): readonly number[] =>
  recordsOf({ url: '', headers: {}, body, socket: 0 })
    .filter(({ eventName }) => eventName === 'veeam.restore.item')
    .map(record => Number(uidOf(record)));

/** Without garbage. */
function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed;
}
