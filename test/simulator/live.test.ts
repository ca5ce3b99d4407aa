import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { parseInstant, type Nanos } from '../../src/model/time.js';
import { LiveStream, type LiveOptions } from '../../src/simulator/live.js';
import { defaultQuirks, type Quirks } from '../../src/simulator/quirks.js';
import { World } from '../../src/simulator/world.js';

const startAt: Nanos = parseInstant('2024-05-06T12:00:00Z')?.at ?? 0n;
const after = (seconds: number): Nanos => startAt + BigInt(Math.round(seconds * 1e3)) * 1_000_000n;

/** The world after the stream was driven to each of these seconds, in order. */
function driven(seconds: readonly number[], options: LiveOptions & Partial<Quirks> & { seed?: number } = {}): World {
  const world = new World();
  const { seed = 1, pace, keepHours, ...quirks } = options;
  const pacing = { ...(pace !== undefined && { pace }), ...(keepHours !== undefined && { keepHours }) };
  const live = new LiveStream(pacing, { seed, quirks: { ...defaultQuirks, ...quirks }, startAt });
  for (const second of seconds) live.advance(world, after(second));
  return world;
}

const ordersOf = (world: World, id: string): readonly number[] =>
  world
    .events(id)
    .slice()
    .map(event => event.order);

const finals = (world: World): ReadonlySet<string> =>
  new Set(
    [...world.book()]
      .filter(({ event }) => event.type !== 'None')
      .map(({ session, event }) => `${session.type} ${event.status}`),
  );

const holes = (world: World): readonly string[] =>
  world
    .sessions()
    .filter(({ id }) => ordersOf(world, id).some((order, index) => order !== index))
    .map(({ id }) => id);

const results = (lateRows: boolean): readonly string[] =>
  driven([900], { lateRows })
    .sessions()
    .map(session => session.result);

describe('the live stream', () => {
  test('has four open sessions and no item at the start', () => {
    const world = driven([0]);
    expect(
      world
        .sessions()
        .map(session => session.type)
        .sort(),
    ).toEqual(['Veod', 'Vesp', 'Vet', 'Vex']);
    expect([...world.book()].map(({ event }) => event.message)).toEqual(Array(4).fill('Restore session started'));
  });

  test.each([1, 2, 3, 4, 5])('shows each final status of each workload within 10 s (seed %d)', seed => {
    const seen = finals(driven([10], { seed }));
    for (const type of ['Vex', 'Veod', 'Vesp', 'Vet'])
      for (const status of ['Success', 'Warning', 'Failed']) expect(seen).toContain(`${type} ${status}`);
  });

  test('is the same however often it is driven', () => {
    const steps = fc
      .array(fc.integer({ min: 0, max: 90 }), { maxLength: 30 })
      .map(list => [...list.sort((a, b) => a - b), 90]);
    const once = driven([90]);
    fc.assert(
      fc.property(steps, seconds => {
        const often = driven(seconds);
        expect([...often.book()].map(entry => entry.event)).toEqual([...once.book()].map(entry => entry.event));
      }),
      { numRuns: 20 },
    );
  });

  test('goes on: sessions come, run and stop, with a result as bad as their worst event', () => {
    const world = driven([600]);
    expect(world.sessions().length).toBeGreaterThan(80);
    const stopped = world.sessions().filter(session => session.state === 'Stopped');
    expect(stopped.length).toBeGreaterThan(70);
    for (const session of stopped) {
      expect(session.result).toBe(world.worstOf(session.id));
      expect(world.events(session.id).slice(-1)[0]?.message).toBe('Restore session completed');
    }
    expect(holes(world)).toEqual([]);
  });

  test('shows what takes time as running first, and the same event finished later', () => {
    const world = driven([3]);
    const running = [...world.book()].filter(({ event }) => event.status === 'Running');
    expect(running.length).toBeGreaterThan(0);
    for (const { event, duration } of running) expect([event.endedAt, duration]).toEqual([undefined, undefined]);
    const later = driven([3, 60]);
    for (const { session, event } of running)
      expect(later.event(session.id, event.id)).toMatchObject({ order: event.order, itemName: event.itemName });
    expect(
      [...later.book()]
        .filter(({ event }) => running.some(({ event: { id } }) => id === event.id))
        .map(({ event }) => event.status),
    ).not.toContain('Running');
  });

  test('can do without running events', () => {
    for (let second = 1; second < 40; second += 1)
      expect(finals(driven([second], { running: false })).has('Vex Running')).toBe(false);
  });

  test('can list events late: a hole that fills', () => {
    const world = new World();
    const live = new LiveStream({}, { seed: 1, quirks: { ...defaultQuirks, lateRows: true }, startAt });
    live.advance(world, after(9));
    const open = holes(world);
    expect(open.length).toBeGreaterThan(0);
    live.advance(world, after(120));
    for (const id of open) expect(ordersOf(world, id)).toEqual(ordersOf(driven([120]), id));
  });

  test('stops a session with the result of all its events, also of those that are listed later', () => {
    expect(results(true)).toEqual(results(false));
  });

  test('can lose events: a hole that stays', () => {
    const world = driven([600], { lostRows: true });
    const old = holes(world).map(id => world.session(id)?.state);
    expect(old).toContain('Stopped');
  });

  test('goes faster with its pace, and forgets after the time to keep', () => {
    const slow = driven([60]).sessions().length;
    const fast = driven([60], { pace: 10 }).sessions().length;
    expect(fast).toBeGreaterThan(6 * slow);
    const kept = driven([3600], { keepHours: 0.1 }).sessions();
    expect(kept.every(({ endedAt = after(3600) }) => endedAt > after(3600 - 380))).toBe(true);
    expect(kept.length).toBeGreaterThan(20);
  });

  test('can say words of no documentation', () => {
    const world = driven([300], { unknownValues: true });
    const words = new Set([...world.book()].flatMap(({ session, event }) => [session.type, event.type, event.status]));
    for (const word of ['Vepp', 'Copy', 'Postponed']) expect(words).toContain(word);
  });
});
