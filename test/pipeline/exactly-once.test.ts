import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { join } from 'node:path';
import { ExporterError } from '../../src/kernel/errors.js';
import { eventStatus } from '../../src/model/event.js';
import { sessionResult } from '../../src/model/session.js';
import type { Nanos } from '../../src/model/time.js';
import type { EventRow, Store } from '../../src/pipeline/ports.js';
import { memoryStore } from '../support/memory-store.js';
import { sqliteStore } from '../../src/store/sqlite.js';
import { bench, counted } from '../support/discovery-rig.js';
import { event, fakeServer, recordingSink, second, session } from '../support/server-run.js';
import { inFolder } from '../support/folder.js';

/** An event: the step at which it is readable, how long it runs (for ever: undefined), as what it ends. */
const life = fc.record({
  appears: fc.nat({ max: 6 }),
  takes: fc.option(fc.nat({ max: 6 }), { nil: undefined, freq: 6 }),
  status: fc.constantFrom('Success', 'Warning', 'Failed', 'Cancelled', 'Skipped', 'Odd'),
  old: fc.boolean(),
});
type Life = Readonly<{ appears: number; takes: number | undefined; status: string; old: boolean }>;

const world = fc.record({
  sessions: fc.array(fc.array(life, { maxLength: 12 }), { minLength: 1, maxLength: 4 }),
  limit: fc.integer({ min: 1, max: 5 }),
  /** Orders without gaps, apart from rows that appear late; else holes that nothing fills. */
  dense: fc.boolean(),
  /** Rows in order, as from a real server; else shuffled again in every step. */
  sorted: fc.boolean(),
  shuffle: fc.infiniteStream(fc.nat({ max: 1_000 })),
  /** Shows the first row twice. */
  repeats: fc.boolean(),
  failures: fc.array(fc.constantFrom('none', 'metrics', 'logs', 'source'), { maxLength: 20 }),
  stopsAt: fc.integer({ min: 2, max: 14 }),
  restartAt: fc.nat({ max: 14 }),
});
type World = typeof world extends fc.Arbitrary<infer Value> ? Value : never;

const stepLength = 30n * second;
/** What appears within 60 s of the stop is found; that is two steps. */
const appearance = ({ appears }: Life, { stopsAt }: World): number => Math.min(appears, stopsAt + 2);
const isDone = (one: Life, all: World, step: number): boolean =>
  one.takes !== undefined && step >= appearance(one, all) + one.takes;

/** What the server shows of a session at a step. */
function rowsAt(lives: readonly Life[], id: string, { all, step, since }: { all: World; step: number; since: Nanos }) {
  return lives.flatMap((one, position): readonly EventRow[] => {
    if (step < appearance(one, all)) return [];
    const at = one.old ? since - second : since + second;
    const done = isDone(one, all, step);
    const order = all.dense ? position : position * 2;
    const status = eventStatus(done ? one.status : 'Running');
    const made = { id: `${id}-${String(position)}`, status, startedAt: at, endedAt: done ? at : undefined };
    return [{ order, event: event(order, made) }];
  });
}

function arranged(rows: readonly EventRow[], { sorted, repeats }: World, random: Iterator<number>): EventRow[] {
  const keyed = rows.map(row => [random.next().value as number, row] as const);
  const list = (sorted ? keyed : keyed.sort(([a], [b]) => a - b)).map(([, row]) => row);
  return repeats && list[0] !== undefined ? [...list, list[0]] : list;
}

/** Plays a world to two sinks, then polls until nothing changes any more, and what is missing has been given up. */
async function live(all: World, store: Store) {
  const server = fakeServer();
  server.limit = all.limit;
  server.at = 1_000n * second;
  const sinks = [recordingSink('metrics'), recordingSink('logs')] as const;
  let rig = bench({ server, store, sinks });
  await rig.step();
  const since = server.at;
  const random = all.shuffle[Symbol.iterator]();
  for (let step = 0; step < 20; step += 1) {
    server.at += stepLength;
    const open = step < all.stopsAt;
    for (const [index, lives] of all.sessions.entries()) {
      const id = `s${String(index)}`;
      const endedAt = open ? undefined : since + BigInt(all.stopsAt + 1) * stepLength;
      const createdAt = since - 2n * second + BigInt(index);
      server.held.set(id, session({ id, createdAt, open, endedAt, result: sessionResult('Failed') }));
      server.rows.set(id, arranged(rowsAt(lives, id, { all, step, since }), all, random));
    }
    if (step === all.restartAt) rig = bench({ server, store, sinks });
    const error = new ExporterError('server', 'Down');
    server.failure = all.failures[step] === 'source' ? error : undefined;
    for (const sink of sinks) sink.failure = all.failures[step] === sink.name ? error : undefined;
    await rig.step();
  }
  for (const wait of [90n, 90n, 90n, 90n, 3_600n, 90n, 90n, 90n]) {
    server.at += wait * second;
    await rig.step();
  }
  return { sinks, rig };
}

/** An event that has to be taken: final, and not history. */
const isWanted = (one: Life, all: World): boolean => isDone(one, all, 19) && !one.old;

const wanted = (all: World): readonly string[] =>
  all.sessions.flatMap((lives, index) =>
    lives.flatMap((one, position) => (isWanted(one, all) ? [`s${String(index)}-${String(position)}`] : [])),
  );

/** Each session fails once: with one of its items, or without. */
const failures = (all: World): readonly string[] =>
  all.sessions.map((lives, index) => {
    const hasFailedItem = lives.some(one => isWanted(one, all) && one.status === 'Failed');
    return `s${String(index)} ${hasFailedItem ? 'Restore' : 'None'}`;
  });

async function holds(all: World, store: Store): Promise<void> {
  const { sinks } = await live(all, store);
  for (const sink of sinks) {
    expect([...sink.taken()].sort()).toEqual([...wanted(all)].sort());
    expect(counted(await store.series(), sink.name)).toBe(BigInt(wanted(all).length));
    expect(sink.batches.flatMap(({ results }) => results)).toHaveLength(all.sessions.length);
    const failed = sink.batches.flatMap(batch => batch.failures.map(({ session: { id }, item }) => `${id} ${item}`));
    expect(failed.sort()).toEqual(failures(all));
  }
}

describe('each final event since `since` is taken exactly once per sink, whatever order, repeats, holes and failures', () => {
  test('with the state in memory', async () => {
    await fc.assert(
      fc.asyncProperty(world, async all => holds(all, memoryStore())),
      { numRuns: 150 },
    );
  });

  test('with the state in a file', async () => {
    await fc.assert(
      fc.asyncProperty(world, async all =>
        inFolder(async folder => {
          const store = await sqliteStore({ path: join(folder, 'state.db') });
          await holds(all, store);
          await store.close();
        }),
      ),
      { numRuns: 10 },
    );
  });
});
