import { describe, expect, test } from '@jest/globals';
import type { EventPage } from '../../src/pipeline/ports.js';
import { bench, put, stop } from '../support/discovery-rig.js';
import { event, fakeServer, pageOf, recordingSink, second, session } from '../support/server-run.js';

const reasons = (reports: Awaited<ReturnType<ReturnType<typeof bench>['step']>>): readonly string[] =>
  reports.flatMap(({ errors }) => errors.map(({ reason }) => reason));

describe('a broken answer', () => {
  test('a server with one page for every offset ends the reading of that session, keeps its events, and does not hold up others', async () => {
    const server = fakeServer();
    let asked = 0;
    const same = async (id: string, offset: number): Promise<EventPage> => {
      if (id === 's2') return pageOf(event(0, { id: 'other' }));
      asked += 1;
      return { ...pageOf(event(0), event(1)), offset, last: false };
    };
    const { step, sinks } = bench({ server: Object.assign(server, { events: same }) });
    await step();
    server.held.set('s1', session({ createdAt: 1n }));
    server.held.set('s2', session({ id: 's2', createdAt: 2n }));
    expect(reasons(await step())).toEqual(['decode']);
    expect([...(sinks[0]?.taken() ?? [])].sort()).toEqual(['e0', 'e1', 'other']);
    expect(asked).toBeLessThan(6);
  });

  test('three equal pages in a row are accepted', async () => {
    const server = fakeServer();
    let left = 3;
    const events = async (_: string, offset: number): Promise<EventPage> => {
      left -= 1;
      return left >= 0 ? { ...pageOf(event(0)), offset, last: false } : { ...pageOf(event(1)), offset };
    };
    const { step, sinks } = bench({ server: Object.assign(server, { events }) });
    await step();
    server.held.set('s1', session({ createdAt: 1n }));
    expect(reasons(await step())).toEqual([]);
    expect(sinks[0]?.taken()).toEqual(['e0', 'e1']);
  });

  test('a session whose events are missing is an error, backs off, and is read once they are back', async () => {
    const server = fakeServer();
    const events = server.events.bind(server);
    let asked = 0;
    const none = async (): Promise<undefined> => void (asked += 1);
    const { step, sinks, store } = bench({ server });
    await step();
    server.held.set('s1', session({ createdAt: 1n }));
    put(server, 's1', event(0));
    server.events = none;
    expect(reasons(await step())).toEqual(['rejected']);
    await step();
    expect(asked).toBe(1);
    server.events = events;
    server.at += 11n * second;
    await step();
    expect(sinks[0]?.taken()).toEqual(['e0']);
    expect(await store.pending('hq', 'metrics')).toHaveLength(1);
  });

  test('a session that is deleted with its events has its last result taken, once, and is over', async () => {
    const { server, step, find, sinks, store } = bench();
    server.at = 100n * second;
    await step();
    server.held.set('s1', session({ createdAt: server.at }));
    put(server, 's1', event(0, { endedAt: server.at }));
    await step();
    stop(server, 's1', server.at);
    const whole = { session: server.session.bind(server), events: server.events.bind(server) };
    await find();
    // The list still had it; when its events are asked for, it has just been purged.
    server.session = async () => undefined;
    server.events = async () => undefined;
    expect(reasons(await step())).toEqual([]);
    Object.assign(server, whole);
    server.at += 90n * second;
    await step();
    expect(sinks[0]?.batches.flatMap(({ results }) => results.map(({ id }) => id))).toEqual(['s1']);
    expect(await store.pending('hq', 'metrics')).toEqual([]);
  });

  test.each([
    ['in the middle of its first reading', 0],
    ['at a later reading', 1],
  ])('Nothing counted twice: a session that is deleted %s and comes back', async (_, readings) => {
    const { server, step, sinks } = bench();
    server.at = 100n * second;
    await step();
    server.held.set('s1', session({ createdAt: server.at }));
    put(server, 's1', ...[0, 1].map(order => event(order, { endedAt: server.at })));
    for (let reading = 0; reading < readings; reading += 1) await step();
    put(server, 's1', ...[2, 3].map(order => event(order, { endedAt: server.at })));
    const whole = { session: server.session.bind(server), events: server.events.bind(server) };
    let pages = 0;
    server.events = async (id, offset, signal) => {
      const page = await whole.events(id, offset, signal);
      // One page of two rows, and then the session is gone.
      pages += 1;
      return page === undefined || pages > 1 ? undefined : { ...page, rows: page.rows.slice(0, 3), last: false };
    };
    server.session = async () => undefined;
    await step();
    Object.assign(server, whole);
    server.at += 90n * second;
    await step();
    stop(server, 's1', server.at);
    server.at += 90n * second;
    await step();
    expect(sinks[0]?.taken().toSorted()).toEqual(['e0', 'e1', 'e2', 'e3']);
  });

  test('sessions without news count towards a batch: no transaction covers more than 1,000 rows', async () => {
    const { server, step, store } = bench({ sinks: [recordingSink('metrics')] });
    const sizes: number[] = [];
    const commit = store.commit.bind(store);
    store.commit = async change => {
      if ((change.rows?.length ?? 0) > 0 && change.since === undefined) sizes.push(change.rows?.length ?? 0);
      return commit(change);
    };
    server.at = 100n * second;
    await step();
    for (let count = 0; count < 2_500; count += 1) {
      const id = `s${String(count)}`;
      // Over before the first poll: nothing to deliver, but stored as done.
      server.held.set(id, session({ id, createdAt: 1n, open: false, endedAt: 2n }));
    }
    await step();
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1_000);
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeGreaterThanOrEqual(2_500);
  });
});
