import { describe, expect, test } from '@jest/globals';
import type { Reply } from '../support/scripted-server.js';
import { scriptedServer } from '../support/scripted-server.js';
import { bench, grant, never } from '../support/source-rig.js';

const { begin, closeLater } = bench();
const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const time = '2025-12-31T23:00:00Z';
const sessionRow = { id, creationTime: time, state: 'Working', organization: 'contoso' };
const eventRow = { id, order: 0, type: 'View', status: 'Success', startTime: time, endTime: time };
const listed = (row: unknown, over = {}): Reply => ({ json: { offset: 0, limit: 1000, results: [row], ...over } });

/** A server to which nobody should send anything. */
async function thief() {
  const server = await scriptedServer(() => ({ json: {} }));
  closeLater(async () => server.close());
  return server;
}

describe('a server that sends the exporter elsewhere gets nothing sent there', () => {
  test.each([302, 307, 308])('by answering a login with %i', async status => {
    const { url, asked } = await thief();
    const redirect = { status, headers: { location: url.href } };
    const { source } = await begin(() => listed(sessionRow), { tokens: () => redirect });
    await expect(source.sessions(undefined, never)).rejects.toMatchObject({
      reason: 'rejected',
      message: `Could not log in: HTTP ${String(status)}`,
    });
    expect(asked).toEqual([]);
  });

  test.each([301, 302, 307])('by answering a read with %i', async status => {
    const { url, asked } = await thief();
    const { source } = await begin(() => ({ status, headers: { location: url.href } }));
    await expect(source.events(id, 0, never)).rejects.toMatchObject({ reason: 'rejected' });
    expect(asked).toEqual([]);
  });

  test.each(['absolute', 'without scheme', 'another path'])('by a link to the next page that is %s', async kind => {
    const { url, asked } = await thief();
    const href = kind === 'absolute' ? url.href : kind === 'another path' ? '/v6/token/logout' : `//${url.host}/`;
    const { source, reads } = await begin(() => listed(eventRow, { limit: 1, _links: { next: { href } } }));
    await source.events(id, 0, never);
    await source.events(id, 0, never);
    expect(asked).toEqual([]);
    expect(reads().every(one => one.url.startsWith(`/v6/RestoreSessions/${id}/Events?`))).toBe(true);
  });

  test.each(['../../v8/Organizations', 'x?y=1#z', '..%2f..%2ftoken', 'a/b/c', '\r\nX-Evil: 1', `${id}/..`])(
    'by the session id %j',
    async evil => {
      const { source } = await begin(() => listed({ ...sessionRow, id: evil }));
      await expect(source.sessions(undefined, never)).resolves.toMatchObject({
        sessions: [],
        rejects: ['it has no readable "id"'],
      });
    },
  );
});

describe('a login is not taken', () => {
  test.each([
    ['with a line break', 'abc\r\nX-Evil: 1', 'the answer holds no token'],
    ['of 20,000 characters', 'a'.repeat(20_000), 'the answer holds no token'],
    ['of 5 MB', 'a'.repeat(5e6), 'the answer is longer than 1052672 bytes'],
    ['that is no text', { a: 1 }, 'the answer holds no token'],
  ])('that grants a token %s', async (_, token, why) => {
    const { source, reads } = await begin(() => listed(sessionRow), {
      tokens: () => grant(1, { access_token: token }),
    });
    await expect(source.sessions(undefined, never)).rejects.toMatchObject({
      reason: 'decode',
      message: `Could not log in: ${why}`,
    });
    expect(reads()).toEqual([]);
  });

  test('again and again because its token expires at once', async () => {
    const { source, logins } = await begin(() => listed(eventRow), {
      tokens: () => grant(1, { expires_in: 1e-9 }),
    });
    for (let n = 0; n < 5; n += 1) await source.events(id, 0, never);
    expect(logins().length).toBeLessThanOrEqual(6);
  });
});

describe('a row cannot reach beyond itself', () => {
  test('with members of a prototype', async () => {
    const body = JSON.stringify({ offset: 0, limit: 1000, results: [eventRow] }).replace(
      '"order"',
      '"__proto__":{"status":"Failed","polluted":"yes"},"constructor":{"prototype":{}},"order"',
    );
    const { source } = await begin(() => ({ body }));
    const page = await source.events(id, 0, never);
    expect(page?.rows).toMatchObject([{ event: { status: { label: 'Success' } } }]);
    expect(Object.hasOwn(Object.prototype, 'polluted')).toBe(false);
  });

  test('with numbers that no counter can hold', async () => {
    const text = JSON.stringify({ ...eventRow, itemSizeBytes: 0 });
    const row = text.replace('"order":0', '"order":1e309').replace('"itemSizeBytes":0', '"itemSizeBytes":1e308');
    const { source } = await begin(() => ({ body: `{"offset":0,"limit":1000,"results":[${row}]}` }));
    const page = await source.events(id, 0, never);
    expect(page?.rows).toMatchObject([{ order: 0, event: { item: { sizeBytes: undefined } } }]);
  });

  test('with members of other types', async () => {
    const odd = { organization: { a: 1 }, type: 5, status: [], startTime: 9e99 };
    const sessions = await begin(() => listed({ ...sessionRow, ...odd, creationTime: [] }));
    await expect(sessions.source.sessions(undefined, never)).resolves.toMatchObject({
      sessions: [{ id, organization: '', workload: { label: 'other' } }],
    });
    const events = await begin(() => listed({ ...eventRow, ...odd, order: -1 }));
    expect((await events.source.events(id, 0, never))?.rows).toEqual([{ order: 0, id, rejected: 'no_status' }]);
  });
});

test('headers that trickle end at the deadline', async () => {
  const { source, server } = await begin(() => ({ silent: true }), { requestTimeoutMs: 200 });
  await expect(source.events(id, 0, never)).rejects.toMatchObject({ reason: 'timeout' });
  server.follow(() => listed(eventRow));
  await expect(source.events(id, 0, never)).resolves.toMatchObject({ rows: [{ order: 0 }] });
});
