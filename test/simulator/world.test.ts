import { describe, expect, test } from '@jest/globals';
import { World } from '../../src/simulator/world.js';
import { atMs } from '../support/simulator.js';

const orders = (world: World, id: string): readonly number[] =>
  world
    .events(id)
    .slice()
    .map(event => event.order);

describe('a world', () => {
  test('lists sessions newest first, in whatever order they were added', () => {
    const world = new World();
    for (const ms of [20, 10, 30, 20]) world.addSession({ createdAt: atMs(ms), name: String(ms) });
    expect(world.sessions().map(session => session.name)).toEqual(['30', '20', '20', '10']);
    expect(new Set(world.sessions().map(session => session.id)).size).toBe(4);
  });

  test('keeps events ascending by order, also when a hole is filled later or an order is taken twice', () => {
    const world = new World();
    const { id } = world.addSession({ createdAt: 0n });
    for (const [index, order] of [undefined, 1, 4, undefined, 2, 2].entries())
      world.appendEvent(id, { startedAt: BigInt(index), ...(order !== undefined && { order }) });
    expect(orders(world, id)).toEqual([0, 1, 2, 2, 4, 5]);
    expect([...world.book()].map(({ event }) => event.startedAt)).toEqual([0n, 1n, 4n, 5n, 2n, 3n]);
  });

  test('finishes a running event, and corrects a final one', () => {
    const world = new World();
    const { id } = world.addSession({ createdAt: 0n });
    const running = world.appendEvent(id, { startedAt: atMs(5), status: 'Running' });
    expect(running.endedAt).toBeUndefined();
    expect([...world.book()][0]?.duration).toBeUndefined();
    world.finishEvent(id, running.id, { status: 'Warning', endedAt: atMs(8) });
    expect([...world.book()][0]?.duration).toBe(3_000_000n);
    expect(world.finishEvent(id, running.id, { status: 'Failed' })).toMatchObject({ id: running.id, status: 'Failed' });
  });

  test.each([
    [[], 'Success'],
    [['Success', 'Skipped'], 'Success'],
    [['Success', 'Warning', 'Success'], 'Warning'],
    [['Warning', 'Failed', 'Success'], 'Failed'],
  ])('stops a session with events %j as %s', (statuses, result) => {
    const world = new World();
    const { id } = world.addSession({ createdAt: 0n });
    for (const status of statuses) world.appendEvent(id, { startedAt: 0n, status });
    expect(world.stopSession(id, { endedAt: 9n })).toMatchObject({ state: 'Stopped', result, endedAt: 9n });
  });

  test('grows the revision of a session with its own changes, and the other with events as well', () => {
    const world = new World();
    const { id, revision } = world.addSession({ createdAt: 0n });
    world.appendEvent(id, { startedAt: 0n });
    expect(world.session(id)).toMatchObject({ revision, eventRevision: revision + 1 });
    const stopped = world.stopSession(id, { endedAt: 1n, result: 'Warning', details: '1 items' });
    expect(stopped).toMatchObject({ revision: revision + 2, eventRevision: revision + 2, result: 'Warning' });
  });

  test('finds sessions and events whatever the letter case, and not after they were purged', () => {
    const world = new World();
    const { id } = world.addSession({ createdAt: 0n });
    world.addSession({ createdAt: 1n });
    const event = world.appendEvent(id, { startedAt: 0n });
    expect(world.event(id.toUpperCase(), event.id.toUpperCase())).toBe(event);
    expect(world.event(id, id)).toBeUndefined();
    world.purgeSession(id);
    expect([world.session(id), world.event(id, event.id), world.sessions().length]).toEqual([undefined, undefined, 1]);
    expect([...world.book()]).toEqual([]);
  });

  test('refuses a session twice, and changes to what it does not have', () => {
    const world = new World();
    const { id } = world.addSession({ createdAt: 0n });
    expect(() => world.addSession({ id, createdAt: 0n })).toThrow('Could not add the session: it exists already');
    expect(() => world.finishEvent(id, id, {})).toThrow('Could not finish the event: the session does not have it');
    expect(() => world.appendEvent('other', { startedAt: 0n })).toThrow(
      'Could not change the session: it does not exist',
    );
  });

  test('writes down made-up events once one of them changes', () => {
    const model = new World();
    const { id } = model.addSession({ createdAt: 0n });
    for (let count = 0; count < 1500; count += 1) model.appendEvent(id, { startedAt: 0n });
    const events = model.events(id).slice();
    const world = new World();
    world.addSession({ id, createdAt: 0n }, { length: 1500, slice: (from, to) => events.slice(from, to) });
    expect([...world.book()]).toHaveLength(1500);
    world.appendEvent(id, { startedAt: 0n, status: 'Failed' });
    expect(world.worstOf(id)).toBe('Failed');
    expect([events.length, world.events(id).length, orders(world, id).at(-1)]).toEqual([1500, 1501, 1500]);
  });
});
