import { describe, expect, test } from '@jest/globals';
import { eventStatus } from '../../src/model/event.js';
import { bench, grace, put, stop } from '../support/discovery-rig.js';
import { event, session, second } from '../support/server-run.js';

const hour = 3600n * second;
const running = eventStatus('Running');

/** A server that has been polled and has one open session. */
async function withSession(limit = 100) {
  const rig = bench();
  const { server, step } = rig;
  server.limit = limit;
  server.at = 100n * second;
  await step();
  server.held.set('s1', session({ createdAt: server.at }));
  const [sink] = rig.sinks;
  if (sink === undefined) throw new Error('no sink');
  /** Lets time pass, then polls and delivers. */
  const after = async (nanos: bigint): Promise<void> => {
    server.at += nanos;
    await step();
  };
  /** Nothing more is expected of the session. */
  const isDone = async (): Promise<boolean> => (await rig.store.pending('hq', 'metrics')).length === 0;
  const sum = (key: 'abandoned' | 'corrections'): number =>
    sink.batches.reduce((total, { findings }) => total + findings[key], 0);
  return { ...rig, sink, after, isDone, sum };
}

const final = (order: number, at: bigint) => event(order, { startedAt: at, endedAt: at });

describe('Nothing lost, nothing counted twice, in a history that changes:', () => {
  test('an event that runs for hours is taken once, when it is final, and holds up no other', async () => {
    const { server, sink, after, isDone } = await withSession();
    const slow = event(1, { status: running, startedAt: server.at, endedAt: undefined });
    put(server, 's1', final(0, server.at), slow, final(2, server.at));
    await after(second);
    expect(sink.taken()).toEqual(['e0', 'e2']);
    for (let order = 3; order < 9; order += 1) {
      put(server, 's1', final(order, server.at));
      await after(hour);
    }
    expect(sink.taken()).toEqual(['e0', 'e2', 'e3', 'e4', 'e5', 'e6', 'e7', 'e8']);
    server.rows
      .get('s1')
      ?.splice(1, 1, { order: 1, event: { ...slow, status: eventStatus('Failed'), endedAt: server.at } });
    await after(hour);
    stop(server, 's1', server.at);
    await after(90n * second);
    await after(90n * second);
    expect(sink.taken().filter(id => id === 'e1')).toEqual(['e1']);
    expect([sink.taken().length, await isDone()]).toEqual([9, true]);
  });

  test('an event that still runs when its session is over is waited for as long as the grace time', async () => {
    const { server, sink, after, isDone, sum } = await withSession();
    put(server, 's1', final(0, server.at), event(1, { status: running, startedAt: server.at, endedAt: undefined }));
    stop(server, 's1', server.at);
    await after(grace - second);
    expect([sum('abandoned'), await isDone()]).toEqual([0, false]);
    await after(second);
    await after(second);
    expect([sink.taken(), sum('abandoned'), await isDone()]).toEqual([['e0'], 1, true]);
  });

  test('a session that the server opens again long after it stopped is found within a day', async () => {
    const { server, sink, after, isDone } = await withSession();
    put(server, 's1', final(0, server.at));
    stop(server, 's1', server.at);
    await after(90n * second);
    await after(90n * second);
    expect(await isDone()).toBe(true);
    await after(100n * hour);
    server.held.set('s1', session({ createdAt: 100n * second }));
    put(server, 's1', final(1, server.at));
    for (let hours = 0; hours < 25; hours += 1) await after(hour);
    expect(sink.taken()).toEqual(['e0', 'e1']);
  });

  test('a hole that fills late is read, wherever it is and whatever the pages', async () => {
    const { server, sink, after, isDone, sum } = await withSession(2);
    put(server, 's1', final(0, server.at), final(1, server.at), final(3, server.at), final(4, server.at));
    await after(second);
    stop(server, 's1', server.at);
    await after(grace / 2n);
    server.rows.get('s1')?.splice(2, 0, { order: 2, event: final(2, server.at) });
    await after(second);
    await after(90n * second);
    expect([[...sink.taken()].sort(), sum('abandoned')]).toEqual([['e0', 'e1', 'e2', 'e3', 'e4'], 0]);
    expect(await isDone()).toBe(true);
  });

  test('an event that is appended a minute after the stop is taken', async () => {
    const { server, sink, after, isDone } = await withSession();
    put(server, 's1', final(0, server.at));
    stop(server, 's1', server.at);
    await after(second);
    await after(58n * second);
    put(server, 's1', final(1, server.at));
    await after(second);
    await after(60n * second);
    expect([sink.taken(), await isDone()]).toEqual([['e0', 'e1'], true]);
  });

  test('a session that is opened again is read on from where it stood, and its result is not delivered twice', async () => {
    const { server, sink, after, isDone } = await withSession();
    put(server, 's1', final(0, server.at));
    await after(second);
    stop(server, 's1', server.at);
    await after(90n * second);
    await after(90n * second);
    expect(await isDone()).toBe(true);
    server.held.set('s1', session({ createdAt: 100n * second }));
    put(server, 's1', final(1, server.at));
    await after(second);
    expect([sink.taken(), await isDone()]).toEqual([['e0', 'e1'], false]);
    stop(server, 's1', server.at);
    await after(90n * second);
    await after(90n * second);
    expect(sink.batches.flatMap(({ results }) => results)).toHaveLength(1);
    expect([sink.taken(), await isDone()]).toEqual([['e0', 'e1'], true]);
  });

  test('a session that was opened again and stopped again between two polls is read on, also after a restart', async () => {
    const { server, store, sink, after, isDone } = await withSession();
    put(server, 's1', final(0, server.at));
    stop(server, 's1', server.at);
    await after(90n * second);
    await after(90n * second);
    expect(await isDone()).toBe(true);
    const again = bench({ server, store, sinks: [sink] });
    put(server, 's1', final(1, server.at));
    stop(server, 's1', server.at);
    server.at += 90n * second;
    await again.step();
    await again.step();
    expect([sink.taken(), await isDone()]).toEqual([['e0', 'e1'], true]);
    server.asked.length = 0;
    await bench({ server, store, sinks: [sink] }).step();
    expect(server.asked).toEqual(['sessions']);
  });

  test('a status that changes after it was taken is a correction, also when the session is opened again for it', async () => {
    const { server, sink, after, sum } = await withSession();
    put(server, 's1', final(0, server.at), final(1, server.at));
    stop(server, 's1', server.at);
    await after(90n * second);
    await after(90n * second);
    server.held.set('s1', session({ createdAt: 100n * second }));
    server.rows.get('s1')?.splice(0, 1, { order: 0, event: { ...final(0, server.at), status: eventStatus('Failed') } });
    await after(second);
    stop(server, 's1', server.at);
    await after(90n * second);
    await after(90n * second);
    expect([sink.taken(), sum('corrections')]).toEqual([['e0', 'e1'], 1]);
  });

  test('a session that the server deletes is over, and is not news if it returns', async () => {
    const { server, sink, after, isDone } = await withSession();
    put(server, 's1', final(0, server.at));
    await after(second);
    put(server, 's1', final(1, server.at));
    const [held, rows] = [server.held.get('s1'), server.rows.get('s1')];
    server.held.delete('s1');
    server.rows.delete('s1');
    await after(second);
    expect([sink.taken(), await isDone()]).toEqual([['e0'], true]);
    if (held !== undefined && rows !== undefined) {
      server.held.set('s1', { ...held, open: false, endedAt: server.at });
      server.rows.set('s1', rows);
    }
    await after(second);
    expect(sink.taken()).toEqual(['e0']);
  });

  test('an event in front of the rows that were read is taken at the next delivery, not only after the stop', async () => {
    const { server, sink, after } = await withSession();
    put(server, 's1', final(0, server.at), final(1, server.at), final(2, server.at));
    await after(second);
    server.rows.get('s1')?.unshift({ order: 3, event: final(3, server.at) });
    await after(second);
    expect(sink.taken()).toEqual(['e0', 'e1', 'e2', 'e3']);
  });

  test('a session that changes while it is read for the last time is not stored as done', async () => {
    const { server, store, backlogs, after, isDone } = await withSession();
    put(server, 's1', final(0, server.at));
    stop(server, 's1', server.at);
    const events = server.events.bind(server);
    server.events = async (...of) => {
      const answer = await events(...of);
      backlogs.get('metrics')?.requeue('s1', server.at);
      return answer;
    };
    await after(90n * second);
    expect(await store.rows('hq', ['s1'])).toMatchObject([
      { done: false, cursor: expect.stringMatching(/^0;.*result/) },
    ]);
    server.events = events;
    await after(second);
    expect(await isDone()).toBe(true);
  });
});
