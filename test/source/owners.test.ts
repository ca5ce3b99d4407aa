import { describe, expect, test } from '@jest/globals';
import { ownershipOf } from '../../src/model/ownership.js';
import { createSemaphore } from '../../src/kernel/semaphore.js';
import { type Asked, type Reply, type Script } from '../support/scripted-server.js';
import { bench, type Extras, handClock, never, type Rig } from '../support/source-rig.js';
import { event as eventOf, guid, session as sessionOf } from '../support/restore.js';
import { fixture } from '../support/fixture.js';

const session = guid(1);
const { begin } = bench();

const row = (order: number, ids: Readonly<Record<string, unknown>>) => ({
  id: guid(order + 100),
  type: 'View',
  status: 'Success',
  startTime: '2026-01-01T00:00:00Z',
  message: 'x',
  order,
  ...ids,
});
const page = (rows: readonly object[]): Reply => ({ json: { offset: 0, limit: 1000, results: rows } });
const user = (name: string) => ({
  json: { displayName: name, mailboxes: [{ email: `${name}@contoso.com` }], oneDrives: null },
});

const hang = async () => new Promise<Reply>(() => undefined);

const isEvents = ({ url }: Asked): boolean => url.includes('/Events');
const asksFor = (rig: Rig): readonly string[] =>
  rig.reads().flatMap(asked => (isEvents(asked) ? [] : [asked.url.replace('/v8/', '')]));

/** A v8 server with one page of events; `owner` answers every other request. */
async function owning(rows: readonly object[], owner: Script, extras: Extras = {}) {
  const results: string[] = [];
  const warnings: string[] = [];
  const clock = handClock();
  const rig = await begin(asked => (isEvents(asked) ? page(rows) : owner(asked)), {
    apiVersion: 'v8',
    resolveOwners: true,
    ownerLookedUp: result => results.push(result),
    log: { info: () => undefined, warn: message => void warnings.push(message) },
    clock,
    ...extras,
  });
  const read = async () => {
    const found = await rig.source.events(session, 0, never);
    return found?.rows.map(one => ('event' in one ? one.event.owner : undefined));
  };
  return { rig, read, results, warnings, clock };
}

describe('the owner of an event', () => {
  const both = `${guid(7)}${guid(8)}`;
  test.each([
    [{ userId: both, siteId: 's', organizationId: guid(1) }, 'user', both, `ProtectedUsers/${both}`],
    [{ teamId: guid(2), groupId: 'g' }, 'team', guid(2), `ProtectedTeams/${guid(2)}`],
    [{ siteId: 'a,b/c', groupId: 'g' }, 'site', 'a,b/c', 'ProtectedSites/a%2Cb%2Fc'],
    [{ userId: null, teamId: '', groupId: 'g' }, 'group', 'g', 'ProtectedGroups/g'],
    [{ organizationId: guid(3), backedUpOrganizationId: 'b' }, 'organization', guid(3), `Organizations/${guid(3)}`],
    [{ backedUpOrganizationId: 'b c' }, 'organization', 'b c', 'Organizations?limit=1&backedUpOrganizationId=b%20c'],
  ])('of %j is a %s, and is looked up by its id', async (ids, kind, id, path) => {
    const found = { displayName: 'Alice', mailboxes: [] };
    const { rig, read, results } = await owning([row(0, ids)], ({ url }) => ({
      json: url.includes('?') ? { results: [{ ...found, ...ids }] } : found,
    }));
    expect(await read()).toEqual([expect.objectContaining({ kind, id, name: 'Alice', derived: false })]);
    expect([asksFor(rig), results]).toEqual([[path], ['found']]);
  });

  test.each([{}, { userId: 7, groupId: ['g'] }, { userId: '' }])('is unknown for %j', async ids => {
    const { rig, read } = await owning([row(0, ids)], () => user('Alice'));
    expect([await read(), asksFor(rig)]).toEqual([[undefined], []]);
  });

  test('who is a user has the address of the mailbox, and the accounts of mailboxes and OneDrives', async () => {
    const mailboxes = [{ email: 'archive@contoso.com', isArchive: true }, {}, { email: 'Alice.Smith@contoso.com' }];
    const oneDrives = [
      { url: 'https://contoso-my.sharepoint.com/personal/asmith_contoso_com/Documents' },
      { url: null },
    ];
    const json = { displayName: 'Alice Smith', mailboxes, oneDrives };
    const { read } = await owning([row(0, { userId: 'u' })], () => ({ json }));
    const accounts = ['archive@contoso.com', 'alice.smith@contoso.com', 'asmith_contoso_com'];
    expect(await read()).toMatchObject([{ name: 'Alice Smith', email: 'Alice.Smith@contoso.com', accounts }]);
  });

  test.each([
    [{ name: 'contoso.com', backedUpOrganizationId: 'B' }, 'contoso.com', 'found'],
    [{ name: 'fabrikam.com', backedUpOrganizationId: 'other' }, '', 'not_found'],
    [{ name: 'fabrikam.com' }, '', 'not_found'],
  ])('is named by the organization of the page that has its id: %j', async (found, name, outcome) => {
    const list = { offset: 0, limit: 1, results: [found] };
    const { read, results } = await owning([row(0, { backedUpOrganizationId: 'b' })], () => ({ json: list }));
    expect([await read(), results]).toMatchObject([[{ name }], [outcome]]);
  });

  test.each(['User', 'SharedMailbox', 'PublicMailbox'])('who is a %s', async accountType => {
    const json = { displayName: 'Desk', accountType, mailboxes: [{ email: 'desk@contoso.com' }] };
    const { read } = await owning([row(0, { userId: 'u' })], () => ({ json }));
    expect(await read()).toMatchObject([{ accounts: ['desk@contoso.com'], shared: accountType !== 'User' }]);
  });

  test('is not taken for somebody with a similar address because of the OneDrive', async () => {
    const oneDrives = [{ url: 'https://x/personal/a_b_contoso_com' }];
    const { read } = await owning([row(0, { userId: 'u' })], () => ({ json: { ...user('A.b').json, oneDrives } }));
    expect(await read()).toMatchObject([{ accounts: ['a.b@contoso.com'] }]);
  });

  test('has a bounded number of accounts of bounded length', async () => {
    const mailboxes = Array.from({ length: 1_000 }, (_, n) => ({ email: `${'a'.repeat(400)}${n}@contoso.com` }));
    const oneDrives = [{ url: `https://x/personal/${'b'.repeat(400)}` }];
    const json = { displayName: 'x', mailboxes: mailboxes.slice(0, 2), oneDrives };
    const { read } = await owning([row(0, { userId: 'u' }), row(1, { userId: 'v' })], ({ url }) => ({
      json: url.endsWith('u') ? json : { displayName: 'x', mailboxes },
    }));
    const lengths = (await read())?.map(owner => owner?.accounts.map(({ length }) => length));
    expect(lengths).toEqual([[320, 320, 320], Array.from({ length: 8 }, () => 320)]);
  });

  test.each(['.', '..'])('is not looked up by the id %s', async userId => {
    const { rig, read } = await owning([row(0, { userId })], () => user('Alice'));
    expect([await read(), asksFor(rig)]).toMatchObject([[{ id: userId, name: '' }], []]);
  });
});

test('every kind of owner of the fixture has its name and relation', async () => {
  const { results: rows } = fixture('v8/source-events.json') as { results: readonly object[] };
  const known = fixture('v8/owners.json') as Readonly<Record<string, unknown>>;
  const { read } = await owning(rows, ({ url }) => {
    const json = known[decodeURIComponent(url.replace('/v8/', ''))];
    return json === undefined
      ? { status: 404, json: { message: 'Resource cannot be found for current key' } }
      : { json };
  });
  const seen = (await read())?.map(owner => {
    const { relation } = ownershipOf(sessionOf({ initiator: 'arya.STARK@companyname.com' }), eventOf({ owner })) ?? {};
    return [owner?.kind, owner?.name, owner?.email, relation];
  });
  expect(seen).toEqual([
    ['organization', 'companyname.onmicrosoft.com', '', 'unknown'],
    ['user', 'Arya Stark', 'Arya.Stark@companyname.com', 'self'],
    ['user', 'Service Desk', 'desk@companyname.com', 'unknown'],
    ['user', '', '', 'unknown'],
    ['group', 'Real Estate', '', 'unknown'],
    ['site', 'commonName', '', 'unknown'],
    ['team', 'House Lannister', '', 'unknown'],
    ['user', 'Arya Stark', 'Arya.Stark@companyname.com', 'self'],
  ]);
});

describe('look-ups', () => {
  test('are one for each owner and day, and events of an owner share one object', async () => {
    const rows = Array.from({ length: 100 }, (_, n) => row(n, { userId: `u${n % 5}` }));
    const { rig, read, clock } = await owning(rows, ({ url }) => user(url.slice(-2)));
    const first = await read();
    expect(new Set(first).size).toBe(5);
    expect(first?.[7]).toMatchObject({ name: 'u2', email: 'u2@contoso.com' });
    await read();
    expect(asksFor(rig)).toHaveLength(5);
    clock.move(86_400_000);
    await read();
    expect(asksFor(rig)).toHaveLength(10);
  });

  test('are shared by sessions that are read at the same time', async () => {
    const { rig, read, results } = await owning([row(0, { userId: 'u' })], () => user('Alice'));
    expect(await Promise.all([read(), read()])).toMatchObject([[{ name: 'Alice' }], [{ name: 'Alice' }]]);
    expect([asksFor(rig), results]).toEqual([['ProtectedUsers/u'], ['found']]);
  });

  test('survive an id that is no valid Unicode', async () => {
    const { rig, read } = await owning([row(0, { userId: '\ud800' })], () => user('Alice'));
    expect(await read()).toMatchObject([{ id: '\ud800', name: 'Alice' }]);
    expect(asksFor(rig)).toEqual(['ProtectedUsers/%EF%BF%BD']);
  });

  test('do not happen when they are switched off', async () => {
    const { rig, read } = await owning([row(0, { userId: 'u' })], () => user('Alice'), { resolveOwners: false });
    expect(await read()).toMatchObject([{ kind: 'user', id: 'u', name: '' }]);
    expect(asksFor(rig)).toEqual([]);
  });

  test.each<readonly [string, Reply]>([
    ['no longer exists', { status: 404, json: { message: 'Resource cannot be found for current key' } }],
    ['is not in a page', { json: { offset: 0, limit: 1, results: [{ displayName: 'Eve' }] } }],
    ['has an id that the server does not accept', { status: 400, json: { message: 'bad' } }],
  ])('of an owner who %s are not repeated, and stop no others', async (_, reply) => {
    const rows = [row(0, { userId: 'gone' }), row(1, { userId: 'here' })];
    const { rig, read, results } = await owning(rows, ({ url }) => (url.endsWith('gone') ? reply : user('Alice')));
    expect(await read()).toMatchObject([{ name: '' }, { name: 'Alice' }]);
    await read();
    expect(asksFor(rig)).toHaveLength(2);
    expect([...results].sort()).toEqual(['found', 'not_found']);
  });

  test.each([{ id: 'odd' }, 'text', null, [], 7])('fail for the answer %j, and stop no others', async json => {
    const rows = [row(0, { userId: 'odd' }), row(1, { userId: 'here' })];
    const { rig, read, results } = await owning(rows, ({ url }) => (url.endsWith('odd') ? { json } : user('Alice')));
    expect(await read()).toMatchObject([{ name: '' }, { name: 'Alice' }]);
    rows.push(row(2, { userId: 'next' }));
    expect((await read())?.[2]).toMatchObject({ name: 'Alice' });
    expect(asksFor(rig)).toHaveLength(3);
    expect([...results].sort()).toEqual(['failed', 'found', 'found']);
  });

  test('of organizations that are refused stop none of users', async () => {
    const rows = [row(0, { organizationId: guid(1) })];
    const { rig, read, results, warnings } = await owning(rows, ({ url }) =>
      url.includes('/Organizations') ? { status: 403, json: { message: 'no' } } : user('Alice'),
    );
    await read();
    rows.push(row(1, { userId: 'u' }), row(2, { organizationId: guid(2) }));
    expect(await read()).toMatchObject([{ name: '' }, { name: 'Alice' }, { name: '' }]);
    expect([asksFor(rig).length, results, warnings.length]).toEqual([2, ['refused', 'found'], 1]);
  });

  test('that hang leave requests for other things their turn', async () => {
    const options = { semaphore: createSemaphore(1), ownerWaitMs: 50 };
    const { read, rig, results } = await owning([row(0, { userId: 'a' })], hang, options);
    await read();
    await rig.source.events(guid(2), 0, never);
    expect(results).toEqual([]);
  });

  test('stop for a day after a refusal, which is one line in the log', async () => {
    const rows = [row(0, { userId: 'a' })];
    const { rig, read, results, warnings, clock } = await owning(rows, () => ({
      status: 403,
      json: { message: 'no' },
    }));
    await read();
    for (let n = 0; n < 5; n += 1) rows[0] = row(0, { userId: `b${n}` });
    expect(await read()).toMatchObject([{ id: 'b4', name: '' }]);
    expect([asksFor(rig).length, results, warnings.length]).toEqual([1, ['refused'], 1]);
    clock.move(86_400_000);
    await read();
    expect([asksFor(rig).length, warnings.length]).toEqual([2, 2]);
  });

  test.each<readonly [string, Reply]>([
    ['an error', { status: 500, json: { message: 'no' } }],
    ['throttling', { status: 429, json: { message: 'no' }, headers: { 'retry-after': '10' } }],
    ['a page of a proxy', { status: 404, body: '<html>' }],
    ['an answer that is not JSON', { body: '{' }],
  ])('pause for a minute after %s, and the events are read all the same', async (_, reply) => {
    const rows = [row(0, { userId: 'a' })];
    const { rig, read, results, clock } = await owning(rows, () => reply);
    expect(await read()).toMatchObject([{ id: 'a', name: '' }]);
    rows[0] = row(0, { userId: 'b' });
    await read();
    expect([asksFor(rig).length, results]).toEqual([1, ['failed']]);
    clock.move(60_000);
    await read();
    expect(asksFor(rig)).toHaveLength(2);
  });

  test('that are slow delay a page once, and not the next ones; an answer that comes later counts', async () => {
    const gate = Promise.withResolvers<Reply>();
    const rows = [row(0, { userId: 'a' })];
    const { rig, read, results } = await owning(rows, async () => gate.promise, {
      ownerWaitMs: 20,
      ownerTimeoutMs: 60_000,
    });
    expect(await read()).toMatchObject([{ id: 'a', name: '' }]);
    rows.push(row(1, { userId: 'b' }));
    expect(await read()).toMatchObject([{ name: '' }, { name: '' }]);
    gate.resolve(user('Alice'));
    while (results.length < 2) await new Promise(resolve => setImmediate(resolve));
    expect(await read()).toMatchObject([{ name: 'Alice' }, { name: 'Alice' }]);
    expect(asksFor(rig)).toHaveLength(2);
  });

  test('are given up after a while', async () => {
    const { read, results } = await owning([row(0, { userId: 'a' })], hang, {
      ownerTimeoutMs: 20,
    });
    expect(await read()).toMatchObject([{ id: 'a', name: '' }]);
    expect(results).toEqual(['failed']);
  });

  test('in flight are 16 at most', async () => {
    let [inFlight, most] = [0, 0];
    const rows = Array.from({ length: 10_000 }, (_, n) => row(n, { userId: `u${n % 50}` }));
    const { rig, read } = await owning(
      rows,
      async ({ url }) => {
        inFlight += 1;
        most = Math.max(most, inFlight);
        await new Promise(resolve => setImmediate(resolve));
        inFlight -= 1;
        return user(url.slice(-2));
      },
      { eventLimit: 10_000, ownerWaitMs: 60_000, answerLimits: () => ({ bytes: 2 ** 26, values: 1e7 }) },
    );
    await read();
    await read();
    expect(asksFor(rig)).toHaveLength(50);
    expect(most).toBeLessThanOrEqual(16);
  });
});
