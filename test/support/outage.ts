import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { type RunDeps, runServer } from '../../src/server/run.js';
import type { Sink } from '../../src/pipeline/ports.js';
import { memoryStore } from './memory-store.js';
import { type FakeClock, fakeClock, settle } from './fake-clock.js';
import { noSeries, second } from './server-run.js';
import { logsTo } from './logs.js';
import { heldAt, madeUpServer, type Plan } from './made-up-server.js';
import { recordsOf } from './otlp-receiver.js';
import { uidOf } from './picky-receiver.js';
import { installationsOf } from './installations.js';

/** A day without a receiver. */
export type Outage = Readonly<{
  sessions: number;
  perSession: number;
  /** Characters of each event. */
  textSize: number;
  /** How far simulated time goes in one step, and the poll interval. */
  stepMs: number;
  /** What the receiver asks for; it asks for nothing without. */
  retryAfterSeconds?: number;
}>;

/** What came of it. */
export type OutageReport = Readonly<{
  /** Requests that the receiver refused in 24 hours. */
  refused: number;
  /** The most events that metrics were behind by, one step after these had come in. */
  mostBehind: number;
  /** What the heap has grown by from the first hour to the last, without garbage. */
  grownBytes: number;
  /** Sessions that the logs were not done with at the end of the outage. */
  backlog: number;
  /** Events that arrived afterwards: numbers, from the oldest on, as they came. */
  arrived: readonly number[];
}>;

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;

/**
 * A day on a simulated clock: stopped restore sessions come in evenly, metrics take them, the receiver of log records
 * answers 503 over real HTTP; then it is back.
 */
export async function outage({ stepMs, retryAfterSeconds, ...size }: Outage): Promise<OutageReport> {
  const clock = fakeClock(dayMs);
  const receiver = await countingReceiver(
    retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) },
  );
  const logs = watched(logsTo(receiver.url));
  const plan = { ...size, startMs: dayMs + 1, spacingMs: Math.floor((dayMs - 2 * stepMs) / size.sessions) };
  const line = startLine({ clock, plan, stepMs, logs: logs.sink });
  const pass = async (): Promise<void> => {
    await clock.advance(stepMs);
    await logs.quiet();
  };
  let mostBehind = 0;
  let baseline = 0;
  for (let passedMs = 0; passedMs < dayMs; passedMs += stepMs) {
    const before = heldAt(clock.now(), plan);
    await pass();
    mostBehind = Math.max(mostBehind, before - line.counted());
    if (baseline === 0 && passedMs >= hourMs) baseline = heapUsed();
  }
  const atTheEnd = { refused: receiver.refused(), grownBytes: heapUsed() - baseline, backlog: line.backlog() };
  receiver.recover();
  for (let steps = 0; steps < 100 && line.backlog() > 0; steps += 1) await pass();
  await line.end();
  await logs.close();
  await receiver.close();
  return { ...atTheEnd, mostBehind, arrived: receiver.arrived };
}

type Running = Readonly<{ clock: FakeClock; plan: Plan; stepMs: number; logs: Sink }>;

/** The pipeline of one server, with a sink that takes everything next to the logs sink. */
function startLine({ clock, plan, stepMs, logs }: Running) {
  const quit = new AbortController();
  let counted = 0;
  let backlog = 0;
  const metrics: Sink = {
    name: 'metrics',
    deliver: async ({ events }) => {
      counted += events.length;
      return { deltas: [] };
    },
  };
  const observer: RunDeps['observer'] = {
    installationChanged: () => undefined,
    identified: () => undefined,
    discovered: () => undefined,
    feed: () => undefined,
    delivered: (sink, { due: left }) => {
      if (sink === 'logs') backlog = left;
    },
  };
  const schedule = { startAfterMs: 0, idleMs: stepMs, openMs: stepMs, reconcileMs: hourMs };
  const timing = { clock, random: () => 0.5, schedule, grace: 3600n * second, beginAt: () => 0n };
  const source = madeUpServer(() => clock.now(), plan);
  const parts = { server: 'hq', source, sinks: [metrics, logs], store: memoryStore(), observer };
  const installations = installationsOf('hq');
  const stopping = { quit: quit.signal, cut: quit.signal };
  const running = runServer({ ...parts, ...timing, series: noSeries, installations }, stopping);
  return {
    counted: () => counted,
    backlog: () => backlog,
    end: async () => {
      quit.abort();
      await running;
    },
  };
}

/** A sink, and a way to wait until nothing of it is on the wire: a simulated clock knows nothing of sockets. */
function watched(inner: Sink & { close: () => Promise<void> }) {
  let pending: Promise<unknown> | undefined;
  const watch = <Result>(work: Promise<Result>): Promise<Result> => {
    pending = work;
    return work;
  };
  const sink: Sink = {
    name: inner.name,
    deliver: async (batch, signal) => watch(inner.deliver(batch, signal)),
    probe: async signal => watch(inner.probe?.(signal) ?? Promise.resolve()),
  };
  const quiet = async (): Promise<void> => {
    while (pending !== undefined) {
      const now = pending;
      await now.catch(() => undefined);
      // What follows from it, another delivery perhaps.
      await settle();
      if (pending === now) pending = undefined;
    }
  };
  return { sink, quiet, close: async () => inner.close() };
}

/** Answers 503 until it recovers; then it takes everything, and keeps only the numbers of the events. */
async function countingReceiver(refusalHeaders: Readonly<Record<string, string>>) {
  const arrived: number[] = [];
  let refused = 0;
  let up = false;
  const server = createServer((request, response) => {
    void (async () => {
      const body = await buffer(request);
      if (up) arrived.push(...numbersOf(body));
      else refused += 1;
      response.writeHead(up ? 200 : 503, up ? { 'content-type': 'application/json' } : refusalHeaders).end('{}');
    })();
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: new URL(`http://127.0.0.1:${String(port)}/v1/logs`),
    arrived: arrived,
    refused: () => refused,
    recover: () => void (up = true),
    close: async () => {
      server.closeAllConnections();
      await new Promise(resolve => server.close(resolve));
    },
  };
}

const numbersOf = (body: Buffer): readonly number[] =>
  recordsOf({ body })
    .filter(({ eventName }) => eventName === 'veeam.restore.item')
    .map(record => Number(uidOf(record)));

function heapUsed(): number {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc()');
  return process.memoryUsage().heapUsed;
}
