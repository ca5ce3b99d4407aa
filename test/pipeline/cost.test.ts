import { describe, expect, test } from '@jest/globals';
import type { SinkName } from '../../src/pipeline/ports.js';
import { put } from '../support/discovery-rig.js';
import { fedLine } from '../support/fed.js';
import { event, recordingSink, second, session } from '../support/server-run.js';

const hour = 3_600_000;

/** How many requests of each kind a server gets in `hours`, of a version with or without a change feed. */
async function cost(
  hours: number,
  {
    feed,
    openSince,
    sinks = ['metrics'],
  }: { feed: boolean; openSince: readonly bigint[]; sinks?: readonly SinkName[] },
) {
  const line = fedLine({ over: { sinks: sinks.map(recordingSink) } });
  if (!feed) line.server.answer = () => ({ kind: 'none' });
  for (const [index, age] of openSince.entries()) {
    const id = `s${String(index)}`;
    line.server.held.set(id, session({ id, createdAt: line.server.at - age * second, eTag: '1' }));
    put(line.server, id, event(0, { endedAt: line.server.at }));
  }
  line.start();
  // The last interval of the time is not begun.
  await line.clock.advance(hours * hour - 1);
  const count = (kind: string): number => line.server.asked.filter(what => what.split(' ')[0] === kind).length;
  const counts = { list: count('sessions'), session: count('session'), events: count('events') };
  await line.stop();
  return { ...counts, feed: feed ? count('changes') : 0 };
}

describe('Cheap to the server', () => {
  test('v2 to v7, idle: one request per interval of 30 s', async () => {
    expect(await cost(4, { feed: false, openSince: [] })).toEqual({ list: 4 * 120, session: 0, events: 0, feed: 0 });
  });

  test('v2 to v7, open sessions: one more for each in every interval of 5 s', async () => {
    const expected = { list: 720, session: 0, events: 3 * 720, feed: 0 };
    expect(await cost(1, { feed: false, openSince: [60n, 600n, 3600n] })).toEqual(expected);
  });

  test('v2 to v7, a session open for more than a day: once a minute one more, to see whether it has stopped', async () => {
    expect(await cost(1, { feed: false, openSince: [90_000n] })).toEqual({
      list: 720,
      session: 60,
      events: 720,
      feed: 0,
    });
  });

  test('however many sinks there are', async () => {
    const expected = { list: 360, session: 0, events: 2 * 360, feed: 0 };
    const sinks = ['metrics', 'logs', 'traces'] as const;
    expect(await cost(0.5, { feed: false, openSince: [60n, 600n], sinks })).toEqual(expected);
  });

  test('v8, idle: one outstanding request, and a list every 15 min', async () => {
    const { feed, ...others } = await cost(4, { feed: true, openSince: [] });
    expect(others).toEqual({ list: 4 * 4, session: 0, events: 0 });
    expect(feed).toBeLessThanOrEqual(4 * 144 + 3);
  });

  test('v8, an open session: one request per interval, however old it is', async () => {
    const { feed, ...others } = await cost(1, { feed: true, openSince: [90_000n] });
    expect(others).toEqual({ list: 4, session: 4 - 1, events: 720 });
    expect(feed).toBeLessThanOrEqual(144 + 3);
  });
});
