import { describe, expect, test } from '@jest/globals';
import { simulatedVersions } from '../../src/simulator/quirks.js';
import { simulate } from '../../src/simulator/simulate.js';
import { World } from '../../src/simulator/world.js';
import { at, atMs, drivenClock, noon2024, visiting, Visitor } from '../support/simulator.js';

const sessionId = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const unknownId = '00000000-0000-4000-8000-000000000000';

/** `count` sessions, an hour apart, `s0` the oldest; the first has five events. */
function smallWorld(count = 7): World {
  const world = new World();
  for (let number = 0; number < count; number += 1)
    world.addSession({
      ...(number === 0 && { id: sessionId }),
      name: `s${number}`,
      createdAt: atMs(number * 3_600_000),
      ...(number < 4 && { endedAt: atMs((number * 3600 + (number === 1 ? 9000 : 60)) * 1000) }),
    });
  for (let order = 0; order < 5; order += 1)
    world.appendEvent(sessionId, { startedAt: atMs(order), message: `e${order}` });
  return world;
}

const names = (page: { results: Record<string, unknown>[] }): unknown[] => page.results.map(row => row['name']);
const orders = (page: { results: Record<string, unknown>[] }): unknown[] => page.results.map(row => row['order']);

describe('what is served', () => {
  test.each(simulatedVersions)(
    'v%d lists sessions and events, finds each alone, whatever the letter case',
    async version => {
      await visiting(version, { world: smallWorld() }, async visitor => {
        const sessions = await visitor.page(`/V${version}/restoresessions`);
        expect(names(sessions)).toEqual(['s6', 's5', 's4', 's3', 's2', 's1', 's0']);
        const events = await visitor.page(`/v${version}/RESTORESESSIONS/${sessionId.toUpperCase()}/events`);
        expect(orders(events)).toEqual([0, 1, 2, 3, 4]);
        expect((await visitor.get(`/v${version}/RestoreSessions/${sessionId}`)).json).toEqual(sessions.results[6]);
        const eventId = String(events.results[3]?.['id']);
        expect((await visitor.get(`/v${version}/RestoreSessions/${sessionId}/Events/${eventId}`)).json).toEqual(
          events.results[3],
        );
      });
    },
  );

  test.each([
    [5, 'ServiceInstance', 404],
    [6, 'ServiceInstance', 200],
    [8, 'ServiceInstance', 200],
    [7, 'Health', 404],
    [8, 'Health', 200],
    [8, 'Nonsense', 404],
  ])('v%d/%s answers %d', async (version, path, status) => {
    await visiting(version, {}, async visitor => {
      expect((await visitor.get(`/v${version}/${path}`)).status).toBe(status);
    });
  });

  test('versions that are not served answer 404, a token or not', async () => {
    await visiting(6, { versions: [3, 6] }, async (visitor, simulator) => {
      expect((await visitor.get('/v7/RestoreSessions')).status).toBe(404);
      const stranger = new Visitor(simulator);
      expect(
        [await stranger.get('/v8/ServiceInstance'), await stranger.get('/v6/ServiceInstance')].map(
          answer => answer.status,
        ),
      ).toEqual([404, 401]);
      expect((await stranger.login(5)).status).toBe(404);
    });
  });

  test('the product version fits the newest version served, unless it is named', async () => {
    await visiting(6, { versions: [6, 7] }, async visitor => {
      expect((await visitor.get('/v6/ServiceInstance')).json).toMatchObject({ version: '7.0.0.2911' });
    });
    const instance = { installationId: unknownId, version: '8.5.0.1014' };
    await visiting(8, { instance }, async visitor => {
      expect((await visitor.get('/v8/ServiceInstance')).json).toEqual(instance);
    });
  });

  test('it can become another installation, or be upgraded, under the same address', async () => {
    await visiting(8, {}, async (visitor, { become, world }) => {
      world.addSession({ createdAt: 0n });
      const before = (await visitor.get('/v8/ServiceInstance')).json;
      become({ installationId: unknownId });
      expect((await visitor.get('/v8/ServiceInstance')).json).toEqual({ ...Object(before), installationId: unknownId });
      become({ version: '9.0.0.1' });
      const after = { installationId: unknownId, version: '9.0.0.1' };
      expect((await visitor.get('/v8/ServiceInstance')).json).toEqual(after);
      expect((await visitor.page('/v8/RestoreSessions')).results).toHaveLength(1);
    });
  });

  test('every answer is dated by the clock of the server', async () => {
    const clock = drivenClock(Date.parse('2017-05-30T00:00:00Z'));
    await visiting(6, { clock }, async visitor => {
      clock.advance(5000);
      for (const path of ['/v6/RestoreSessions', '/v9/Nothing', '/v6/RestoreSessions/x'])
        expect((await visitor.get(path)).headers.get('date')).toBe('Tue, 30 May 2017 00:00:05 GMT');
    });
  });

  test.each([
    [3, { message: 'Resource cannot be found for current key' }],
    [8, { message: 'Resource cannot be found for current key', errorCode: 'ResourceNotFound' }],
  ])('v%d says of an unknown session, and an unknown event, that they are unknown', async (version, body) => {
    await visiting(version, { world: smallWorld() }, async visitor => {
      for (const path of [
        unknownId,
        `${unknownId}/Events`,
        `${unknownId}/Events/${unknownId}`,
        `${sessionId}/Events/${unknownId}`,
      ]) {
        const answer = await visitor.get(`/v${version}/RestoreSessions/${path}`);
        expect([answer.status, answer.json]).toEqual([404, body]);
      }
    });
  });

  test('a port in use is a clear error', async () => {
    await visiting(6, {}, async (_visitor, { url }) => {
      const port = Number(new URL(url).port);
      await expect(simulate({ clock: drivenClock(), port })).rejects.toMatchObject({
        reason: 'network',
        message: expect.stringContaining(`Could not listen on "127.0.0.1:${port}"`),
      });
    });
  });

  test('a body that is not JSON is refused, without a stack', async () => {
    await visiting(8, {}, async visitor => {
      const headers = { 'content-type': 'application/json' };
      const answer = await visitor.send('/v8/token', { method: 'POST', headers, body: '{' });
      expect([answer.status, answer.json]).toEqual([400, { message: 'The request cannot be processed' }]);
    });
  });

  test('IPv6 addresses make a valid URL', async () => {
    const simulator = await simulate({ clock: drivenClock(), host: '::1' }).catch(() => undefined);
    expect(new URL(simulator?.url ?? 'http://[::1]:1').hostname).toBe('[::1]');
    await simulator?.close();
  });
});

/** The links of a page, by name. */
const hrefs = async (version: number, path: string): Promise<unknown> => {
  let links: unknown;
  await visiting(version, { world: smallWorld() }, async visitor => {
    const page = await visitor.page(`/v${version}/${path}`);
    links = Object.fromEntries(Object.entries(page['_links']).map(([name, { href }]) => [name, href]));
  });
  return links;
};

describe('pages', () => {
  test('hold 30 rows unless the client says otherwise, and echo what was applied', async () => {
    await visiting(8, { world: smallWorld(70) }, async visitor => {
      expect(await visitor.page('/v8/RestoreSessions')).toMatchObject({ offset: 0, limit: 30 });
      const third = await visitor.page('/v8/RestoreSessions?offset=60&limit=30');
      expect([third.offset, third.limit, third.results.length]).toEqual([60, 30, 10]);
      expect(await visitor.page('/v8/RestoreSessions?limit=20000')).toMatchObject({ limit: 10_000 });
      expect((await visitor.page('/v8/RestoreSessions?offset=999')).results).toEqual([]);
    });
  });

  test('link to their neighbours: absolute up to v5, relative from v6', async () => {
    expect(await hrefs(3, 'RestoreSessions?limit=3&offset=2')).toEqual({
      self: 'https://vb365.sim.local:4443/v3/restoresessions?offset=2&limit=3',
      first: 'https://vb365.sim.local:4443/v3/restoresessions?offset=0&limit=3',
      prev: 'https://vb365.sim.local:4443/v3/restoresessions?offset=0&limit=3',
      next: 'https://vb365.sim.local:4443/v3/restoresessions?offset=5&limit=3',
    });
    expect(await hrefs(6, `restoresessions/${sessionId}/events?limit=2`)).toEqual({
      self: `/v6/RestoreSessions/${sessionId}/Events?offset=0&limit=2`,
      next: `/v6/RestoreSessions/${sessionId}/Events?offset=2&limit=2`,
    });
    expect(await hrefs(8, 'RestoreSessions?limit=9&ORDERASC=true&junk=1')).toEqual({
      self: '/v8/RestoreSessions?offset=0&limit=9&orderAsc=true',
    });
  });

  test.each([
    [3, true],
    [4, true],
    [5, false],
    [9, false],
  ])('of %d of five rows have a next one: %s', async (limit, next) => {
    await visiting(6, { world: smallWorld() }, async visitor => {
      const page = await visitor.page(`/v6/RestoreSessions/${sessionId}/Events?limit=${limit}`);
      expect('next' in page['_links']).toBe(next);
    });
  });

  test.each([3, 6, 7, 8])('of v%d have their properties in the order of real answers', async version => {
    await visiting(version, { world: smallWorld(), quirks: { totalCount: true } }, async visitor => {
      const keys = Object.keys(await visitor.page(`/v${version}/RestoreSessions`));
      if (version === 3) expect(keys).toEqual(['offset', 'limit', 'results', '_links']);
      else expect(keys).toEqual(['offset', 'limit', ...(version === 8 ? [] : ['totalCount']), '_links', 'results']);
    });
  });

  test.each([
    ['limit=0', 'limit'],
    ['limit=-1', 'limit'],
    ['limit=ten', 'limit'],
    ['offset=1.5', 'offset'],
    ['startTimeFrom=yesterday', 'startTimeFrom'],
    ['endTimeTo=2024-13-01T00:00:00Z', 'endTimeTo'],
  ])('are refused for %s', async (search, name) => {
    await visiting(8, { world: smallWorld() }, async visitor => {
      const answer = await visitor.get(`/v8/RestoreSessions?${search}`);
      const message = `The value of parameter "${name}" is not valid.`;
      expect([answer.status, answer.json]).toEqual([400, { message, errorCode: 'ParameterValidationFailure' }]);
      const status = name === 'limit' || name === 'offset' ? 400 : 200;
      expect((await visitor.get(`/v8/RestoreSessions/${sessionId}/Events?${search}`)).status).toBe(status);
    });
  });
});

describe('filters', () => {
  test.each([
    [5, 'startTimeFrom=1970-01-01T03:00:00Z', ['s6', 's5', 's4', 's3', 's2', 's1', 's0']],
    [6, 'starttimefrom=1970-01-01T03:00:00Z', ['s6', 's5', 's4']],
    [6, 'startTimeFrom=1970-01-01T02:59:59.9999999Z', ['s6', 's5', 's4', 's3']],
    [7, 'startTimeTo=1970-01-01T01:00:00Z', ['s0']],
    [7, 'endTimeFrom=1970-01-01T03:00:00Z', ['s6', 's5', 's4', 's3', 's2', 's1', 's0']],
    [8, 'endTimeFrom=1970-01-01T02:01:00Z', ['s3', 's2', 's1']],
    [8, 'endTimeFrom=1970-01-01T02:01:01Z&endTimeTo=1970-01-01T03:00:00Z', []],
    [8, 'startTimeFrom=1970-01-01T00:00:00Z&startTimeTo=1970-01-01T02:00:00Z', ['s1']],
    [8, 'orderAsc=true', ['s0', 's1', 's2', 's3', 's4', 's5', 's6']],
    [8, 'orderBy=EndTime', ['s6', 's5', 's4', 's1', 's3', 's2', 's0']],
    [8, 'orderBy=EndTime&orderAsc=true', ['s0', 's2', 's3', 's1', 's4', 's5', 's6']],
    [7, 'orderAsc=true&orderBy=EndTime', ['s6', 's5', 's4', 's3', 's2', 's1', 's0']],
  ])('v%d with %s lists %j', async (version, search, wanted) => {
    await visiting(version, { world: smallWorld() }, async visitor => {
      expect(names(await visitor.page(`/v${version}/RestoreSessions?${search}`))).toEqual(wanted);
    });
  });
});

describe('a running server', () => {
  test('lets its live stream happen as time goes by, request by request', async () => {
    const clock = drivenClock();
    await visiting(8, { clock, live: {} }, async (visitor, { world, advance }) => {
      const before = await visitor.page('/v8/RestoreSessions');
      clock.advance(60_000);
      const after = await visitor.page('/v8/RestoreSessions');
      expect(before.results).toHaveLength(4);
      expect(after.results.length).toBeGreaterThan(8);
      clock.advance(60_000);
      const known = world.sessions().length;
      advance();
      expect(world.sessions().length).toBeGreaterThan(known);
    });
  });

  test('shows events that are added while it runs', async () => {
    const world = smallWorld(1);
    await visiting(6, { world, clock: drivenClock(noon2024) }, async visitor => {
      world.appendEvent(sessionId, { startedAt: at('2024-05-06T12:00:00Z'), status: 'Running' });
      const page = await visitor.page(`/v6/RestoreSessions/${sessionId}/Events`);
      expect(page.results.at(-1)).toMatchObject({ order: 5, status: 'Running' });
      expect(page.results.at(-1)).not.toHaveProperty('endTime');
    });
  });
});
