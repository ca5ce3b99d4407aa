import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import { World } from '../../src/simulator/world.js';
import { atMs, drivenClock, visiting, type Visitor } from '../support/simulator.js';

type Feed = { nextChangeToken: string; limit: number; results: { eventType: string; id: string; eTag?: number }[] };
const feed = async (visitor: Visitor, from: string, more = ''): Promise<Feed> =>
  (await visitor.get(`/v8/Events?from=${from}${more}`)).json as Feed;
const brief = ({ results }: Feed): unknown[] => results.map(({ eventType, eTag }) => [eventType, eTag]);

describe('the change feed', () => {
  test('reports what has changed after a token, and where to continue', async () => {
    const world = new World();
    await visiting(8, { world }, async visitor => {
      const { nextChangeToken, results } = await feed(visitor, 'latest');
      expect(results).toEqual([]);
      const { id } = world.addSession({ createdAt: atMs(0) });
      world.appendEvent(id, { startedAt: atMs(1) });
      world.stopSession(id, { endedAt: atMs(2) });
      world.purgeSession(id);
      const changes = await feed(visitor, nextChangeToken);
      expect(brief(changes)).toEqual([
        ['RestoreSessionUpdate', 1],
        ['RestoreSessionUpdate', 2],
        ['RestoreSessionUpdate', 3],
        ['RestoreSessionDelete', undefined],
      ]);
      expect((await feed(visitor, changes.nextChangeToken)).results).toEqual([]);
      const half = await feed(visitor, nextChangeToken, '&limit=3');
      expect([half.limit, half.results.length]).toEqual([3, 3]);
      expect(brief(await feed(visitor, half.nextChangeToken))).toEqual([['RestoreSessionDelete', undefined]]);
    });
  });

  test('does not report silent events, and their eTag stays', async () => {
    const world = new World();
    await visiting(8, { world, quirks: { silentEvents: true } }, async visitor => {
      const { id } = world.addSession({ createdAt: atMs(0) });
      const { nextChangeToken } = await feed(visitor, 'latest');
      world.appendEvent(id, { startedAt: atMs(1) });
      expect((await feed(visitor, nextChangeToken)).results).toEqual([]);
      expect((await visitor.get(`/v8/RestoreSessions/${id}`)).json).toMatchObject({ eTag: 1 });
    });
  });

  test('waits for a change, and answers as soon as there is one', async () => {
    const world = new World();
    await visiting(8, { world, clock: systemClock }, async (visitor, simulator) => {
      const { nextChangeToken } = await feed(visitor, 'latest');
      const answer = feed(visitor, nextChangeToken, '&timeoutSeconds=60');
      while (simulator.traffic.count('/Events') < 2) await new Promise(setImmediate);
      world.addSession({ createdAt: atMs(0) });
      expect((await answer).results).toHaveLength(1);
    });
  });

  test('answers with nothing when its time is over', async () => {
    const clock = drivenClock();
    await visiting(8, { clock }, async visitor => {
      const { nextChangeToken } = await feed(visitor, 'latest');
      const before = clock.monotonic();
      const { results, nextChangeToken: next } = await feed(visitor, nextChangeToken, '&timeoutSeconds=25');
      expect([results, next, clock.monotonic() - before]).toEqual([[], nextChangeToken, 25_000]);
    });
  });

  test('refuses a token behind which too much has changed, and one of another server', async () => {
    const world = new World();
    await visiting(8, { world, quirks: { feedEntries: 2 } }, async visitor => {
      const { nextChangeToken } = await feed(visitor, 'latest');
      for (let n = 0; n < 3; n += 1) world.addSession({ createdAt: atMs(n) });
      for (const token of [nextChangeToken, '00000000.0']) {
        const { status, json } = await visitor.get(`/v8/Events?from=${token}`);
        expect([status, json]).toMatchObject([400, { errorCode: 'OutdatedChangeToken' }]);
      }
    });
  });

  test.each([
    ['served', 'nonsense', 400],
    ['served', 'latest&timeoutSeconds=soon', 400],
    ['missing', 'latest', 404],
    ['refused', 'latest', 403],
  ] as const)('when %s, answers from=%s with %d', async (served, from, status) => {
    await visiting(8, { quirks: { feed: served } }, async visitor => {
      expect((await visitor.get(`/v8/Events?from=${from}`)).status).toBe(status);
    });
  });

  test('is not there before v8', async () => {
    await visiting(7, {}, async visitor => {
      expect((await visitor.get('/v7/Events?from=latest')).status).toBe(404);
    });
  });
});
