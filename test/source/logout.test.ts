import { describe, expect, test } from '@jest/globals';
import type { Reply } from '../support/scripted-server.js';
import { bench, never, type Rig } from '../support/source-rig.js';

const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const page: Reply = { json: { offset: 0, limit: 1000, results: [] } };

const { begin } = bench();

const read = async ({ source }: Rig): Promise<unknown> => source.events(id, 0, never);
const paths = ({ server }: Rig): readonly string[] => server.asked.map(({ method, url }) => `${method} ${url}`);

describe('logging out', () => {
  test.each([
    ['v7', 200],
    ['v8', 204],
    ['v8', 500],
  ] as const)('ends the token of %s when the source closes, answered with %i', async (apiVersion, status) => {
    const one = await begin(({ url }) => (url.endsWith('/logout') ? { status } : page), { apiVersion });
    await read(one);
    await one.source.close();
    expect(one.server.asked.at(-1)).toEqual({
      method: 'POST',
      url: `/${apiVersion}/token/logout`,
      authorization: 'Bearer token-1',
      form: {},
    });
    expect(one.observed.at(-1)).toBe(`token ${status < 300 ? '2xx' : '5xx'}`);
  });

  test('does not exist up to v6, and needs a token', async () => {
    const old = await begin(() => page, { apiVersion: 'v6' });
    await read(old);
    await old.source.close();
    const idle = await begin(() => page, { apiVersion: 'v8' });
    await idle.source.close();
    expect([...paths(old).slice(2), ...paths(idle)]).toEqual([]);
  });

  test('does not hold up a stop when the server is silent, or gone', async () => {
    const silent = await begin(({ url }) => (url.endsWith('/logout') ? { silent: true } : page), { apiVersion: 'v8' });
    await read(silent);
    await silent.source.close();
    expect(silent.observed.at(-1)).toBe('token error');
    const gone = await begin(() => page, { apiVersion: 'v8' });
    await read(gone);
    await gone.server.close();
    await gone.source.close();
    expect(gone.observed.at(-1)).toBe('token error');
  });
});
