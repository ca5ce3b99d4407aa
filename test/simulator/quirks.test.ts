import { describe, expect, test } from '@jest/globals';
import type { Quirks } from '../../src/simulator/quirks.js';
import { World } from '../../src/simulator/world.js';
import { at, visiting } from '../support/simulator.js';

const sessionId = '61954db6-7278-4d26-86f7-888bda5a4ec4';

/** One working session: its start, an item that went wrong, and one that still runs. */
function world(): World {
  const made = new World();
  made.addSession({ id: sessionId, type: 'Vesp', createdAt: at('2024-05-06T11:00:00.25Z'), clientHost: '10.0.0.1' });
  made.appendEvent(sessionId, { startedAt: at('2024-05-06T11:00:00.25Z'), message: 'Restore session started' });
  made.appendEvent(sessionId, {
    type: 'Restore',
    status: 'Failed',
    startedAt: at('2024-05-06T11:00:01Z'),
    endedAt: at('2024-05-07T12:00:01Z'),
    itemName: 'Plan.docx ',
    itemType: 'Item',
    itemSizeBytes: 12,
    source: '/sites/a',
  });
  made.appendEvent(sessionId, { type: 'Save', status: 'Running', startedAt: at('2024-05-06T11:00:02Z') });
  return made;
}

type Row = Record<string, unknown>;
type Seen = { session: Row; events: Row[] };

async function seen(version: number, quirks: Partial<Quirks> = {}): Promise<Seen> {
  let found: Seen = { session: {}, events: [] };
  await visiting(version, { world: world(), quirks }, async visitor => {
    const events = await visitor.page(`/v${version}/RestoreSessions/${sessionId}/Events`);
    found = {
      session: (await visitor.get(`/v${version}/RestoreSessions/${sessionId}`)).json as Row,
      events: events.results,
    };
  });
  return found;
}

const sessionKeys = async (version: number): Promise<string[]> =>
  Object.keys((await seen(version, { absent: 'null' })).session);

const eventKeys = async (version: number, quirks: Partial<Quirks> = {}): Promise<string[]> =>
  Object.keys((await seen(version, { absent: 'null', ...quirks })).events[1] ?? {});

/** Pages of `limit` events of a session with five of them. */
const listed = async (eventOrder: Quirks['eventOrder'], offset: number, limit: number): Promise<unknown[]> => {
  const made = world();
  for (const order of [3, 4]) made.appendEvent(sessionId, { order, startedAt: 0n });
  let orders: unknown[] = [];
  await visiting(6, { world: made, quirks: { eventOrder } }, async visitor => {
    const page = await visitor.page(`/v6/RestoreSessions/${sessionId}/Events?offset=${offset}&limit=${limit}`);
    orders = page.results.map(row => row['order']);
  });
  return orders;
};

/** Whether the list of sessions comes without an envelope. */
const isArray = async (version: number): Promise<boolean> => {
  let array = false;
  await visiting(version, { world: world(), quirks: { bareSessionList: true } }, async visitor => {
    array = Array.isArray((await visitor.get(`/v${version}/RestoreSessions`)).json);
  });
  return array;
};

describe('a session', () => {
  test('has its properties in the order of the vendor, and only those of its version', async () => {
    const common = [
      'id',
      'name',
      'organization',
      'type',
      'creationTime',
      'endTime',
      'state',
      'result',
      'initiatedBy',
      'details',
    ];
    expect(await sessionKeys(3)).toEqual([...common, '_links']);
    expect(await sessionKeys(7)).toEqual([...common, 'scopeName', 'clientHost', 'reason', '_links']);
    expect(await sessionKeys(8)).toEqual([...common, 'scopeName', 'clientHost', 'reason', 'eTag', '_links']);
  });

  test('links to itself, its organization and its events', async () => {
    expect((await seen(8)).session['_links']).toEqual({
      self: { href: `/v8/restoresessions/${sessionId}` },
      organization: { href: `/v8/restoresessions/${sessionId}/organization` },
      restoreSessionEvents: { href: `/v8/restoresessions/${sessionId}/events` },
    });
  });

  test.each([
    [3, {}, 'Success'],
    [3, { workingResult: 'omit' }, undefined],
    [6, { workingResult: 'omit' }, 'Success'],
    [8, { workingResult: 'worst' }, 'Failed'],
  ] as const)('of v%d with %j that still works has the result %s', async (version, quirks, result) => {
    expect((await seen(version, quirks)).session['result']).toBe(result);
  });

  test.each([
    [true, 1],
    [false, 4],
  ])('has an eTag that does not move with events: %s', async (silentEvents, eTag) => {
    expect((await seen(8, { silentEvents })).session['eTag']).toBe(eTag);
  });
});

describe('an event', () => {
  test('has its properties in the order of the vendor, and only those of its version', async () => {
    const items = ['itemName', 'itemType', 'itemSizeBytes', 'source', 'target'];
    const common = ['id', 'type', 'status', 'startTime', 'endTime', 'duration', 'title', 'message', 'order'];
    const touched = ['organizationId', 'backedUpOrganizationId', 'userId', 'groupId', 'siteId', 'teamId'];
    expect(await eventKeys(2)).toEqual([...common, '_links']);
    expect(await eventKeys(3)).toEqual([...items, ...common, '_links']);
    expect(await eventKeys(5, { itemFields: false })).toEqual([...common, '_links']);
    expect(await eventKeys(6, { itemFields: false })).toEqual([...items, ...common, '_links']);
    expect(await eventKeys(8)).toEqual([...items, ...common, ...touched, '_links']);
  });

  test('leaves out what it does not have, but the size of nothing is 0', async () => {
    const [start, item, running] = (await seen(6)).events;
    expect(Object.keys(start ?? {})).toEqual([
      'itemSizeBytes',
      'id',
      'type',
      'status',
      'startTime',
      'endTime',
      'duration',
      'title',
      'message',
      'order',
      '_links',
    ]);
    expect(start).toMatchObject({ itemSizeBytes: 0, duration: '00:00:00', order: 0 });
    expect(item).toMatchObject({ itemName: 'Plan.docx ', duration: '1.01:00:00', endTime: '2024-05-07T12:00:01Z' });
    for (const key of ['endTime', 'duration']) expect(running).not.toHaveProperty(key);
  });

  test('can have null, or the empty text, in place of what it does not have', async () => {
    expect((await seen(6, { absent: 'null' })).events[2]).toMatchObject({
      itemName: null,
      target: null,
      endTime: null,
    });
    expect((await seen(6, { absent: 'empty' })).events[2]).toMatchObject({ itemName: '', target: '', endTime: null });
    expect((await seen(6, { absent: 'null' })).session).toMatchObject({
      endTime: null,
      reason: null,
      clientHost: '10.0.0.1',
    });
  });

  test.each([
    [5, {}, '2024-05-06T14:00:00.25+03:00'],
    [5, { times: 'utc' }, '2024-05-06T11:00:00.25Z'],
    [6, {}, '2024-05-06T11:00:00.25Z'],
    [6, { times: 'bare', trimFractions: false }, '2024-05-06T11:00:00.2500000'],
  ] as const)('of v%d with %j began at %s', async (version, quirks, startTime) => {
    expect((await seen(version, quirks)).events[0]?.['startTime']).toBe(startTime);
  });

  test('can have its words in lower case', async () => {
    const { session, events } = await seen(3, { lowerCaseEnums: true });
    expect([session['type'], session['state'], session['result']]).toEqual(['vesp', 'working', 'success']);
    expect([events[1]?.['type'], events[1]?.['status']]).toEqual(['restore', 'failed']);
  });
});

describe('a list', () => {
  test('of events can be in another order', async () => {
    expect(await listed('ascending', 1, 3)).toEqual([1, 2, 3]);
    expect(await listed('descending', 1, 3)).toEqual([3, 2, 1]);
    expect(await listed('descending', 4, 9)).toEqual([0]);
    expect(await listed('descending', 7, 9)).toEqual([]);
    const shuffled = await listed('shuffled', 0, 5);
    expect(shuffled).not.toEqual([0, 1, 2, 3, 4]);
    expect(shuffled.map(Number).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4]);
  });

  test('of sessions can begin with the oldest, up to v7', async () => {
    const made = world();
    made.addSession({ createdAt: at('2024-05-06T11:30:00Z'), name: 'newer' });
    for (const [version, first] of [
      [7, sessionId],
      [8, undefined],
    ] as const)
      await visiting(version, { world: made, quirks: { sessionOrder: 'oldest' } }, async visitor => {
        const { results } = await visitor.page(`/v${version}/RestoreSessions`);
        expect(results[0]?.[first === undefined ? 'name' : 'id']).toBe(first ?? 'newer');
      });
  });

  test('of sessions can be a bare array, up to v5', async () => {
    expect([await isArray(3), await isArray(6)]).toEqual([true, false]);
  });

  test('can have other bounds', async () => {
    await visiting(8, { world: world(), quirks: { defaultLimit: 5, maxLimit: 2 } }, async visitor => {
      expect(await visitor.page('/v8/RestoreSessions')).toMatchObject({ limit: 2 });
      expect(await visitor.page('/v8/RestoreSessions?limit=3')).toMatchObject({ limit: 2 });
    });
    await visiting(8, { world: world(), quirks: { maxLimit: 2, overLimit: 'reject' } }, async visitor => {
      expect((await visitor.get('/v8/RestoreSessions?limit=3')).status).toBe(400);
      expect((await visitor.get('/v8/RestoreSessions?limit=2')).status).toBe(200);
    });
  });

  test('of sessions can grow while it is read, so that rows shift', async () => {
    await visiting(6, { world: world(), quirks: { arrivalsPerPage: 2 } }, async (visitor, simulator) => {
      const first = await visitor.page('/v6/RestoreSessions?limit=1');
      const second = await visitor.page('/v6/RestoreSessions?offset=1&limit=2');
      expect(second.results.map(row => row['id'])).toContain(first.results[0]?.['id']);
      const sessions = simulator.world.sessions();
      expect(sessions.map(session => session.state)).toEqual([...Array(4).fill('Stopped'), 'Working']);
      expect(sessions.slice(0, 4).map(({ id }) => simulator.world.events(id).length)).toEqual([2, 2, 2, 2]);
      for (const { id, result } of sessions)
        expect(result === 'Success' || simulator.world.worstOf(id) === result).toBe(true);
    });
  });
});

describe('a server', () => {
  test('of old can answer 500 for what it does not have', async () => {
    await visiting(5, { quirks: { missingStatus: 500 } }, async visitor => {
      const answer = await visitor.get(`/v5/RestoreSessions/${sessionId}`);
      expect([answer.status, answer.json]).toEqual([500, { message: 'Resource cannot be found for current key' }]);
    });
  });

  test('can be for restore operators only', async () => {
    await visiting(8, { quirks: { operatorsOnly: true } }, async visitor => {
      const answer = await visitor.get('/v8/RestoreSessions');
      expect([answer.status, answer.json]).toEqual([
        403,
        { message: 'Access is denied', errorCode: 'ResourceAccessDenied' },
      ]);
    });
  });

  test.each([
    [true, 'Healthy'],
    [false, 'Unhealthy'],
  ])('says how it is: %s is %s', async (healthy, status) => {
    await visiting(8, { quirks: { healthy } }, async visitor => {
      expect((await visitor.get('/v8/Health')).json).toEqual({
        status,
        entries: { nats: { status }, database: { status: 'Healthy' } },
      });
    });
  });
});
