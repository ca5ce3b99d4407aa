import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ExporterError } from '../../src/kernel/errors.js';
import { eventStatus, type RestoreEvent } from '../../src/model/event.js';
import type { Nanos } from '../../src/model/time.js';
import { createBacklog } from '../../src/pipeline/backlog.js';
import { discover, type Known, windowStart } from '../../src/pipeline/discovery.js';
import { createHeaders } from '../../src/pipeline/headers.js';
import type { Lane, LaneReport } from '../../src/pipeline/lane.js';
import { laneTurn } from '../../src/pipeline/lane-turn.js';
import { sharedPages } from '../../src/pipeline/pages.js';
import type { Series, SinkName, Store } from '../../src/pipeline/ports.js';
import { memoryStore } from '../../src/store/memory.js';
import {
  event,
  fakeServer,
  type FakeServer,
  recordingSink,
  type RecordingSink,
  second,
  session,
} from '../support/line.js';

const never = { quit: new AbortController().signal, cut: new AbortController().signal };
const grace = 3600n * second;

/** A line without loops: each step is one turn of discovery and one of every sink. */
function bench(options: { server?: FakeServer; store?: Store; sinks?: readonly RecordingSink[] } = {}) {
  const server = options.server ?? fakeServer();
  const store = options.store ?? memoryStore();
  const sinks = options.sinks ?? [recordingSink('metrics')];
  const known: Known = { since: {}, watermark: undefined, open: new Map(), born: new Set() };
  const pages = sharedPages(server);
  const headers = createHeaders(server);
  const backlogs: Partial<Record<SinkName, ReturnType<typeof createBacklog>>> = {};
  const lanes: Lane[] = [];
  const open = async (): Promise<void> => {
    known.since = (await store.state('hq')).since;
    for (const sink of sinks) {
      const backlog = createBacklog(await store.pending('hq', sink.name));
      backlogs[sink.name] = backlog;
      const since = (): Nanos => known.since[sink.name] ?? 0n;
      lanes.push({
        server: 'hq',
        source: server,
        pages,
        headers,
        sink,
        store,
        backlog,
        since,
        grace,
        stored: () => undefined,
      });
    }
  };
  const find = async () => {
    if (lanes.length === 0) await open();
    const deps = { server: 'hq', source: server, store, headers, pages, backlogs, grace } as const;
    const ports = { clock: { monotonic: () => 0 }, beginAt: (_: SinkName, now: Nanos) => now, born: () => [] };
    return discover({ ...deps, ...ports, stored: () => undefined }, known, never.cut);
  };
  const step = async (): Promise<readonly LaneReport[]> => {
    await find();
    return Promise.all(lanes.map(async lane => laneTurn(lane, never)));
  };
  return { server, store, sinks, known, find, step, backlogs };
}

const put = (server: FakeServer, id: string, ...events: readonly RestoreEvent[]): void => {
  const rows = server.rows.get(id) ?? [];
  server.rows.set(id, [...rows, ...events.map(one => ({ order: one.order, event: one }))]);
};
const stop = (server: FakeServer, id: string, at: Nanos): void => {
  const held = server.held.get(id);
  if (held !== undefined) server.held.set(id, { ...held, open: false, endedAt: at });
};
const counted = (series: readonly Series[], sink: string): bigint => {
  const found = series.find(({ labels }) => labels[0] === sink);
  return found?.kind === 'counter' ? found.value : 0n;
};

describe('exactly once', () => {
  /** How an event comes about: when it is readable, when it is final (never: undefined), as what. */
  const life = fc.record({
    appears: fc.nat({ max: 6 }),
    takes: fc.option(fc.nat({ max: 6 }), { nil: undefined, freq: 6 }),
    status: fc.constantFrom('Success', 'Warning', 'Failed', 'Cancelled', 'Skipped', 'Odd'),
    old: fc.boolean(),
    hole: fc.boolean(),
  });
  const world = fc.record({
    sessions: fc.array(fc.array(life, { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
    limit: fc.integer({ min: 1, max: 5 }),
    shuffle: fc.infiniteStream(fc.nat({ max: 1_000 })),
    failures: fc.array(fc.constantFrom('none', 'metrics', 'logs', 'source'), { maxLength: 20 }),
    stops: fc.nat({ max: 12 }),
    restartAt: fc.nat({ max: 14 }),
  });

  test('each final event since `since` is taken exactly once per sink, whatever order, repeats, holes and failures', async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ sessions, limit, shuffle, failures, stops, restartAt }) => {
        const server = fakeServer();
        server.limit = limit;
        server.at = 1_000n * second;
        const store = memoryStore();
        const sinks = [recordingSink('metrics'), recordingSink('logs')] as const;
        let line = bench({ server, store, sinks });
        await line.step();
        const since = server.at;
        const wanted = new Set<string>();
        const random = shuffle[Symbol.iterator]();
        // What turns up within 60 s of the stop is found; two steps are that.
        const lastAppearance = stops + 2 + 2;
        const steps = 16;
        for (let now = 0; now < steps; now += 1) {
          server.at += 30n * second;
          for (const [index, lives] of sessions.entries()) {
            const id = `s${String(index)}`;
            const createdAt = since + BigInt(index) * second;
            const over = now >= stops + 2;
            const endedAt = over ? (server.held.get(id)?.endedAt ?? server.at) : undefined;
            server.held.set(id, session({ id, createdAt, open: !over, endedAt }));
            const rows = lives.flatMap(({ appears, takes, status, old, hole }, position) => {
              if (now < Math.min(appears, lastAppearance)) return [];
              const done = takes !== undefined && now >= Math.min(appears, lastAppearance) + takes;
              const at = old ? since - second : since + second;
              const order = hole ? position * 2 : position * 2 - (position > 0 ? 1 : 0);
              const name = `${id}-${String(position)}`;
              if (done && !old) wanted.add(name);
              const made = event(order * 3 + position, {
                id: name,
                status: eventStatus(done ? status : 'Running'),
                startedAt: at,
                endedAt: done ? at : undefined,
              });
              return [{ order: made.order, event: made }];
            });
            const keyed = rows.map(row => [random.next().value, row] as const).sort(([a], [b]) => a - b);
            server.rows.set(id, [...keyed.map(([, row]) => row), ...(rows[0] === undefined ? [] : [rows[0]])]);
          }
          if (now === restartAt) line = bench({ server, store, sinks });
          const failure = failures[now];
          const error = new ExporterError('server', 'Down');
          server.failure = failure === 'source' ? error : undefined;
          for (const sink of sinks) sink.failure = failure === sink.name ? error : undefined;
          await line.step();
        }
        server.failure = undefined;
        for (const sink of sinks) sink.failure = undefined;
        for (let settle = 0; settle < 4; settle += 1) {
          server.at += 90n * second;
          await line.step();
        }
        for (const sink of sinks) {
          expect([...sink.taken()].sort()).toEqual([...wanted].sort());
          expect(counted(await store.series(), sink.name)).toBe(BigInt(wanted.size));
        }
      }),
      { numRuns: 300 },
    );
  });

  test('a session that has come to its end is done, and is not read again', async () => {
    const { server, step, store } = bench();
    server.at = 100n * second;
    await step();
    server.held.set('s1', session({ createdAt: server.at }));
    put(server, 's1', event(0, { endedAt: server.at }), event(1, { endedAt: server.at }));
    await step();
    stop(server, 's1', server.at + second);
    server.at += 10n * second;
    await step();
    server.at += 90n * second;
    await step();
    expect(await store.pending('hq', 'metrics')).toEqual([]);
    const before = server.asked.length;
    await step();
    expect(server.asked.slice(before).filter(what => what.startsWith('events'))).toEqual([]);
  });
});

describe('a line', () => {
  test('passes over what ended before it first met the server, also inside an open session', async () => {
    const { server, step, sinks } = bench();
    server.at = 100n * second;
    server.held.set('s1', session({ createdAt: 50n * second }));
    put(server, 's1', event(0, { endedAt: 60n * second }));
    await step();
    put(server, 's1', event(1, { endedAt: 101n * second }));
    await step();
    expect(sinks[0]?.taken()).toEqual(['e1']);
  });

  test('takes a result once, when the session has stopped', async () => {
    const { server, step, sinks } = bench();
    server.at = 100n * second;
    server.held.set('s1', session({ createdAt: server.at }));
    await step();
    stop(server, 's1', 101n * second);
    for (let turn = 0; turn < 4; turn += 1) {
      server.at += 60n * second;
      await step();
    }
    expect(sinks[0]?.batches.flatMap(({ results }) => results.map(({ id }) => id))).toEqual(['s1']);
  });

  test('gives up a hole and a running event when the grace time after the stop is over, and counts them', async () => {
    const { server, step, sinks, store } = bench();
    server.at = 100n * second;
    await step();
    server.held.set('s1', session({ createdAt: server.at }));
    const running = event(3, { status: eventStatus('Running'), endedAt: undefined, startedAt: server.at });
    put(server, 's1', event(0, { endedAt: server.at }), event(2, { endedAt: server.at }), running);
    await step();
    stop(server, 's1', server.at);
    server.at += grace + second;
    await step();
    await step();
    const findings = (sinks[0]?.batches ?? []).map(batch => batch.findings);
    expect(findings.reduce((sum, { abandoned }) => sum + abandoned, 0)).toBe(2);
    expect(findings.reduce((sum, { anomalies }) => sum + (anomalies.order_gap ?? 0), 0)).toBe(1);
    expect(await store.pending('hq', 'metrics')).toEqual([]);
  });

  test('tells on the last reading what changed after it had been taken', async () => {
    const { server, step, sinks } = bench();
    server.at = 100n * second;
    await step();
    server.held.set('s1', session({ createdAt: server.at }));
    put(server, 's1', event(0, { endedAt: server.at }), event(1, { endedAt: server.at }));
    await step();
    server.rows.set('s1', []);
    const failed = event(1, { endedAt: server.at, status: eventStatus('Failed') });
    put(server, 's1', event(0, { endedAt: server.at }), failed);
    stop(server, 's1', server.at);
    server.at += 90n * second;
    await step();
    expect(sinks[0]?.batches.at(-1)?.findings.corrections).toBe(1);
    expect(sinks[0]?.taken()).toEqual(['e0', 'e1']);
  });

  test('sets a second event with the same order aside, and counts it once', async () => {
    const { server, step, sinks } = bench();
    server.at = 100n * second;
    await step();
    server.held.set('s1', session({ createdAt: server.at }));
    put(server, 's1', event(0, { endedAt: server.at }), event(0, { id: 'twin', endedAt: server.at }));
    await step();
    stop(server, 's1', server.at);
    for (let turn = 0; turn < 3; turn += 1) {
      server.at += 90n * second;
      await step();
    }
    const rejected = (sinks[0]?.batches ?? []).map(batch => batch.findings.rejected.duplicate_order ?? 0);
    expect(rejected.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(sinks[0]?.taken()).toEqual(['e0']);
  });

  test('reads a page once for two sinks at the same place', async () => {
    const { server, step } = bench({ sinks: [recordingSink('metrics'), recordingSink('logs')] });
    await step();
    server.held.set('s1', session({ createdAt: 1n }));
    put(server, 's1', event(0));
    await step();
    expect(server.asked.filter(what => what === 'events s1 0')).toHaveLength(1);
  });

  test('reads on from where it stands, overlapping the last row', async () => {
    const { server, step } = bench();
    await step();
    server.limit = 100;
    server.held.set('s1', session({ createdAt: 1n }));
    put(server, 's1', ...Array.from({ length: 50 }, (_, order) => event(order)));
    await step();
    await step();
    expect(server.asked.filter(what => what.startsWith('events'))).toEqual(['events s1 0', 'events s1 49']);
  });

  test('writes nothing while nothing is new', async () => {
    let commits = 0;
    const inner = memoryStore();
    const store: Store = { ...inner, commit: async change => ((commits += 1), inner.commit(change)) };
    const { server, step } = bench({ store });
    server.held.set('s1', session());
    put(server, 's1', event(0));
    await step();
    const before = commits;
    await step();
    await step();
    expect(commits).toBe(before);
  });

  test('asks for old open sessions by id and lists from the oldest recent one', async () => {
    const day = 24n * 3600n * second;
    const { server, find } = bench();
    server.at = 10n * day;
    server.held.set('old', session({ id: 'old', createdAt: day }));
    server.held.set('recent', session({ id: 'recent', createdAt: 10n * day - 3600n * second }));
    await find();
    await find();
    expect(server.asked).toEqual(['sessions', `sessions ${String(10n * day - 3600n * second)}`, 'session old']);
  });

  test('looks back by the overlap while nothing is open', () => {
    expect(windowStart({ watermark: 1000n * second, open: new Map() })).toBe(700n * second);
  });

  test('a session that the server has forgotten is done, and no news when it comes back', async () => {
    const { server, step, store, sinks } = bench();
    await step();
    server.held.set('s1', session({ createdAt: 1n }));
    put(server, 's1', event(0));
    await step();
    server.held.delete('s1');
    await step();
    expect(await store.pending('hq', 'metrics')).toEqual([]);
    server.held.set('s1', session({ createdAt: 1n }));
    await step();
    expect(sinks[0]?.taken()).toEqual(['e0']);
  });

  test('a session that answers nonsense does not hold up the others', async () => {
    const server = fakeServer();
    const { step, sinks } = bench({
      server: Object.assign(server, {
        events: async (id: string) => {
          if (id === 'a') throw new ExporterError('decode', 'Could not read a page');
          return { offset: 0, rows: [{ order: 0, event: event(0) }], last: true, readAt: 0n, anomalies: [] };
        },
      }),
    });
    await step();
    server.held.set('a', session({ id: 'a', createdAt: 1n }));
    server.held.set('b', session({ id: 'b', createdAt: 2n }));
    const [report] = await step();
    expect(sinks[0]?.taken()).toEqual(['e0']);
    expect(report?.errors.map(({ reason }) => reason)).toEqual(['decode']);
    expect(report?.due).toBe(1);
  });

  test('delivers a long session in batches of at most 1,000 events', async () => {
    const { server, step, sinks } = bench();
    await step();
    server.limit = 2_500;
    server.held.set('s1', session({ createdAt: 1n }));
    put(server, 's1', ...Array.from({ length: 4_000 }, (_, order) => event(order)));
    await step();
    expect(sinks[0]?.batches.map(batch => batch.events.length)).toEqual([1000, 1000, 500, 1000, 500]);
  });
});
