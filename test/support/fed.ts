import type { ExporterError } from '../../src/kernel/errors.js';
import type { FeedStatus } from '../../src/discovery/feed-state.js';
import type { DiscoveryReport } from '../../src/discovery/scheduler.js';
import { type RunDeps, runServer } from '../../src/server/run.js';
import type { FeedAnswer, SeriesDelta, Store } from '../../src/pipeline/ports.js';
import { memoryStore } from './memory-store.js';
import { type FakeClock, fakeClock } from './fake-clock.js';
import { type FakeServer, fakeServer, noSeries, recordingSink } from './server-run.js';
import { installationsOf } from './installations.js';

type Entry = Readonly<{ id: string; eTag?: string; deleted?: boolean }>;

/** A fake server with a change feed, in the time of a fake clock. Its tokens are counts of entries. */
export interface FedServer extends FakeServer {
  /** Adds to the feed and ends the requests that wait for it. */
  report(...entries: readonly Entry[]): void;
  /** What the feed answers or throws instead, by the token that it is asked with. */
  answer: ((token: string | undefined) => FeedAnswer | ExporterError | 'silence' | undefined) | undefined;
}

export function fedServer(clock: FakeClock): FedServer {
  const log: Entry[] = [];
  let woken = new AbortController();
  const server = fakeServer();
  Object.defineProperty(server, 'at', { get: () => BigInt(Math.round(clock.now() * 1e6)) });
  const fed: FedServer = Object.assign(server, {
    answer: undefined,
    report: (...entries: readonly Entry[]) => {
      log.push(...entries);
      woken.abort();
      woken = new AbortController();
    },
  });
  const changesFrom = (from: number): FeedAnswer => {
    const entries = log.slice(from);
    const updated = new Map<string, string>();
    const deleted = new Set<string>();
    for (const { id, eTag = '', deleted: gone } of entries) {
      if (gone === true) deleted.add(id);
      else updated.set(id, eTag);
    }
    const token = String(log.length);
    return { kind: 'changes', token, updated, deleted, entries: entries.length, unreadable: 0, more: false };
  };
  fed.changes = async ({ token, waitSeconds }, signal) => {
    fed.asked.push(`changes ${token ?? 'latest'}`);
    const instead = fed.answer?.(token);
    if (instead === 'silence') await clock.sleep(1e12, signal);
    if (instead instanceof Error) throw instead;
    if (instead !== undefined && instead !== 'silence') return instead;
    const from = token === undefined ? log.length : Number(token);
    const either = AbortSignal.any([signal, woken.signal]);
    if (token !== undefined && from >= log.length)
      await clock.sleep(waitSeconds * 1000, either).catch(() => signal.throwIfAborted());
    return changesFrom(from);
  };
  return fed;
}

/** A whole line against a fed server, in fake time: one sink, 5 s while something is open, else 30 s, reconcile after 15 min. */
export function fedLine(options: { store?: Store; over?: Partial<RunDeps> } = {}) {
  const clock = fakeClock(1_000_000_000_000);
  const server = fedServer(clock);
  const store = options.store ?? memoryStore();
  const sink = recordingSink('metrics');
  const states: FeedStatus[] = [];
  const reports: DiscoveryReport[] = [];
  const open: string[][] = [];
  const quit = new AbortController();
  const gaps: number[] = [];
  const begin = (): Promise<void> =>
    runServer(
      {
        server: 'hq',
        source: server,
        sinks: [sink],
        store,
        clock,
        random: () => 0,
        schedule: { startAfterMs: 0, idleMs: 30_000, openMs: 5_000, reconcileMs: 900_000 },
        grace: 3_600_000_000_000n,
        beginAt: (_, now) => now,
        series: {
          ...noSeries,
          feedGapDeltas: (missed): readonly SeriesDelta[] => {
            gaps.push(missed);
            return [{ family: 'gap', labels: [], kind: 'counter', by: 1 }];
          },
        },
        installations: installationsOf('hq'),
        observer: {
          installationChanged: () => undefined,
          identified: () => undefined,
          discovered: (report, sessions) => {
            reports.push(report);
            open.push(sessions.map(({ id }) => id));
          },
          feed: ({ active, error }) => void states.push({ active, error }),
          delivered: () => undefined,
        },
        ...options.over,
      },
      { quit: quit.signal, cut: quit.signal },
    );
  let running: Promise<void> | undefined;
  return {
    clock,
    server,
    store,
    sink,
    states,
    reports,
    open,
    gaps,
    start: () => void (running = begin()),
    stop: async () => {
      quit.abort();
      await clock.advance(0);
      await running;
    },
    /** What was asked since `from`, without the pages of events when `of` is not among it. */
    askedSince: (from: number) => server.asked.slice(from),
  };
}
