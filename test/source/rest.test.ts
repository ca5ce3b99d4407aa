import { describe, expect, test } from '@jest/globals';
import type { ExporterError } from '../../src/kernel/errors.js';
import { parseInstant } from '../../src/model/time.js';
import type { ApiVersion } from '../../src/model/api-versions.js';
import { fixture } from '../support/fixture.js';
import { type Reply, scriptedServer } from '../support/scripted-server.js';
import { bench, grant, never, type Rig } from '../support/source-rig.js';

const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const session = { id, creationTime: '2022-02-02T15:00:00Z', state: 'Working', type: 'Vex' };
const page = (over: object = {}): Reply => ({ json: { offset: 0, limit: 1000, results: [], ...over } });

const { begin, closeLater } = bench();

const read = async ({ source }: Rig): Promise<unknown> => source.events(id, 0, never);

describe('the events of a session', () => {
  test('are read as a v3 server gives them', async () => {
    const json = fixture('v3/source-events.json');
    const one = await begin(() => ({ json }), { apiVersion: 'v3', eventLimit: 30 });
    expect(await one.source.events(id, 0, never)).toMatchObject({
      offset: 0,
      last: true,
      anomalies: [],
      rows: [
        { order: 0, event: { id: 'f346f90e-a02f-4747-b30e-ef34f980c670' } },
        { order: 1, event: { id: '755d207e-ebd6-49da-9943-3b9e5eb31dee', endedAt: 1_496_141_848_086_960_700n } },
      ],
    });
    expect(one.reads().map(({ method, url }) => [method, url])).toEqual([
      ['GET', `/v3/RestoreSessions/${id}/Events?offset=0&limit=30`],
    ]);
  });

  test('are rejected one by one, with their place as order', async () => {
    const one = await begin(() => page({ offset: 5, limit: 10, results: [null, { id }, fixtureEvent()] }));
    expect(await one.source.events(id, 5, never)).toMatchObject({
      anomalies: ['limit_ignored'],
      rows: [
        { order: 5, rejected: 'not_an_object', id: '' },
        { order: 6, rejected: 'no_status', id },
        { order: 0, event: {} },
      ],
    });
  });

  test('are the same however many there are: none twice, each with its place as order', async () => {
    const results = Array.from({ length: 1_000 }, (_, n) =>
      n % 3 === 0 ? [n] : { ...(fixtureEvent() as object), order: n },
    );
    const one = await begin(() => page({ results }));
    const found = await one.source.events(id, 0, never);
    expect(found?.rows.map(({ order }) => order)).toEqual(results.map((_, n) => n));
    expect(found?.rows.filter(row => 'rejected' in row)).toHaveLength(334);
    expect(found).toMatchObject({ last: false, anomalies: [] });
  });

  test('are gone with their session', async () => {
    const one = await begin(() => ({ status: 404, json: { message: 'Resource cannot be found for current key' } }));
    expect(await one.source.events(id, 0, never)).toBeUndefined();
    one.server.follow(asked => (asked.url.includes('token') ? grant(1) : { status: 404, body: '' }));
    expect(await one.source.events(id, 0, never)).toBeUndefined();
  });

  test.each(['<html>Not Found</html>', '"x"', 'not found'])(
    'are not gone because something in between says %s',
    async body => {
      const one = await begin(() => ({ status: 404, body }));
      await expect(read(one)).rejects.toMatchObject({ reason: 'rejected' });
    },
  );

  test('are never sought, nor the token sent, where a link points to', async () => {
    const elsewhere = await scriptedServer(() => page());
    closeLater(elsewhere.close);
    const href = new URL(`/v6/RestoreSessions/${id}/Events?offset=1&limit=1`, elsewhere.url).href;
    const one = await begin(({ url }) =>
      page({
        offset: Number(/offset=(\d+)/.exec(url)?.[1]),
        limit: 1,
        results: [fixtureEvent()],
        _links: { next: { href } },
      }),
    );
    expect(await one.source.events(id, 0, never)).toMatchObject({ last: false });
    expect(await one.source.events(id, 1, never)).toMatchObject({ last: false });
    expect(one.reads()).toHaveLength(2);
    expect(elsewhere.asked).toEqual([]);
  });

  test('are read below the path of a reverse proxy', async () => {
    const one = await begin(() => page());
    const server = await scriptedServer(({ url }) => (url.endsWith('/token') ? grant(1) : page()));
    closeLater(server.close);
    const behind = await begin(() => page(), { baseUrl: new URL('/veeam/', server.url) });
    await read(behind);
    expect(server.asked.map(({ url }) => url)).toEqual([
      '/veeam/v6/token',
      `/veeam/v6/RestoreSessions/${id}/Events?offset=0&limit=1000`,
    ]);
    expect(one.server.asked).toEqual([]);
  });
});

const fixtureEvent = (): unknown => (fixture('v3/source-events.json') as { results: unknown[] }).results[0];

describe('the sessions of a server', () => {
  const from = parseInstant('2022-02-02T15:59:09.7680229Z')?.at;

  test.each<[ApiVersion, string]>([
    ['v2', 'offset=0&limit=2500'],
    ['v5', 'offset=0&limit=2500'],
    ['v6', 'offset=0&limit=2500&startTimeFrom=2022-02-02T15%3A59%3A09.7680228Z'],
    ['v7', 'offset=0&limit=2500&startTimeFrom=2022-02-02T15%3A59%3A09.7680228Z'],
    ['v8', 'offset=0&limit=2500&startTimeFrom=2022-02-02T15%3A59%3A09.7680228Z&orderBy=CreationTime&orderAsc=true'],
  ])('are asked of %s for %s', async (apiVersion, query) => {
    const one = await begin(() => page({ limit: 10_000, results: [session] }), { apiVersion });
    expect(await one.source.sessions(from, never)).toMatchObject({ sessions: [{ id, open: true }], rejects: [] });
    expect(one.reads().map(({ url }) => url)).toEqual([`/${apiVersion}/RestoreSessions?${query}`]);
  });

  test('are all asked for without a time', async () => {
    const one = await begin(() => page({ limit: 10_000 }), { apiVersion: 'v6' });
    await one.source.sessions(undefined, never);
    expect(one.reads()[0]?.url).toBe('/v6/RestoreSessions?offset=0&limit=2500');
  });

  test('come page by page, one row of each seen before', async () => {
    const all = ['0', '1', '2', '3'].map(end => ({ ...session, id: id.slice(0, -1) + end }));
    const one = await begin(
      ({ url }) => {
        const offset = Number(/offset=(\d+)/.exec(url)?.[1]);
        return page({ offset, limit: 3, results: all.slice(offset, offset + 3) });
      },
      { sessionLimit: 3, apiVersion: 'v8' },
    );
    const list = await one.source.sessions(undefined, never);
    expect(list.sessions.map(({ id: each }) => each.at(-1))).toEqual(['0', '1', '2', '3']);
    expect(one.reads().map(({ url }) => /offset=\d+/.exec(url)?.[0])).toEqual(['offset=0', 'offset=2']);
  });

  test('of documents that print an array come all at once', async () => {
    const one = await begin(() => ({ json: [session, {}] }), { apiVersion: 'v2' });
    expect(await one.source.sessions(undefined, never)).toMatchObject({
      sessions: [{ id }],
      rejects: ['it has no readable "id"'],
    });
  });

  test('fail as a whole when a page does', async () => {
    const one = await begin(
      ({ url }) => (url.includes('offset=0') ? page({ limit: 1, results: [session] }) : { status: 500 }),
      { sessionLimit: 1 },
    );
    await expect(one.source.sessions(undefined, never)).rejects.toMatchObject({ reason: 'server' });
  });
});

describe('one session', () => {
  test('is read by its id', async () => {
    const one = await begin(() => ({ json: session }));
    expect(await one.source.session(id, never)).toMatchObject({ id, workload: { label: 'exchange' } });
    expect(one.reads()[0]?.url).toBe(`/v6/RestoreSessions/${id}`);
    expect(one.observed).toEqual(['token 2xx', 'session 2xx']);
  });

  test('may be gone', async () => {
    const one = await begin(() => ({ status: 404, json: {} }));
    expect(await one.source.session(id, never)).toBeUndefined();
  });

  test('that cannot be read is an error', async () => {
    const one = await begin(() => ({ json: { name: 'canary' } }));
    await expect(one.source.session(id, never)).rejects.toMatchObject({
      reason: 'decode',
      message: 'Could not read a restore session: it has no readable "id"',
    });
  });
});

describe('the service instance', () => {
  test('says version and installation from v6 on', async () => {
    const one = await begin(() => ({ json: { installationId: id.toUpperCase(), version: '8.1.0.305' } }), {
      apiVersion: 'v8',
    });
    expect(await one.source.instance(never)).toEqual({ apiVersion: 'v8', version: '8.1.0.305', installationId: id });
    expect(one.reads()[0]?.url).toBe('/v8/ServiceInstance');
    expect(one.observed).toEqual(['token 2xx', 'probe 2xx']);
  });

  test('is not there before', async () => {
    const one = await begin(() => page(), { apiVersion: 'v5' });
    expect(await one.source.instance(never)).toEqual({ apiVersion: 'v5', version: '', installationId: '' });
    expect(one.server.asked).toEqual([]);
  });

  test.each([
    [{ json: { version: null } }, { apiVersion: 'v6', version: '', installationId: '' }],
    [
      { json: { version: '8.1 canary', installationId: `${id} canary` } },
      { apiVersion: 'v6', version: '', installationId: '' },
    ],
    [{ json: 5 }, 'decode'],
    [{ status: 404 }, 'rejected'],
  ])('answered with %j is %j', async (reply, wanted) => {
    const one = await begin(() => reply);
    const reason = one.source.instance(never).catch((thrown: unknown) => (thrown as ExporterError).reason);
    expect(await reason).toEqual(wanted);
  });
});
