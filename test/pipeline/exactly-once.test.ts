import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { ExporterError } from '../../src/kernel/errors.js';
import { eventStatus } from '../../src/model/event.js';
import { memoryStore } from '../../src/store/memory.js';
import { bench, counted } from '../support/bench.js';
import { event, fakeServer, recordingSink, second, session } from '../support/line.js';

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
});
