import { describe, expect, test } from '@jest/globals';
import type { ApiVersion } from '../../src/model/api-versions.js';
import type { Reply } from '../support/scripted-server.js';
import { bench, grant, never, type Rig } from '../support/source-rig.js';

const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
const page: Reply = { json: { offset: 0, limit: 1000, results: [] } };
const minute = 60_000;

const { begin } = bench();

const read = async ({ source }: Rig): Promise<unknown> => source.events(id, 0, never);

describe('logging in', () => {
  test('sends the password as a form, once, and the token with every request', async () => {
    const one = await begin(() => page);
    await read(one);
    await read(one);
    expect(one.logins()).toEqual([
      {
        method: 'POST',
        url: '/v6/token',
        authorization: undefined,
        form: { grant_type: 'password', username: 'EAST\\canary-user', password: 'canary-password' },
      },
    ]);
    expect(one.reads().map(asked => asked.authorization)).toEqual(['Bearer token-1', 'Bearer token-1']);
    expect(one.observed).toEqual(['token 2xx', 'events 2xx', 'events 2xx']);
  });

  test.each<[ApiVersion, string | undefined]>([
    ['v2', undefined],
    ['v6', undefined],
    ['v7', 'true'],
    ['v8', 'true'],
  ])('to %s declines the antiforgery token: %s', async (apiVersion, declined) => {
    const one = await begin(() => page, { apiVersion });
    await read(one);
    one.clock.move(59 * minute);
    await read(one);
    expect(one.logins().map(({ form }) => [form['grant_type'], form['disable_antiforgery_token']])).toEqual([
      ['password', declined],
      ['refresh_token', declined],
    ]);
  });

  test('is shared by all concurrent requests', async () => {
    const one = await begin(() => page);
    await Promise.all([read(one), read(one), read(one)]);
    expect(one.logins()).toHaveLength(1);
    expect(one.reads()).toHaveLength(3);
  });

  test('goes on for the others when one gives up', async () => {
    const stop = new AbortController();
    const one = await begin(() => page, {
      tokens: async (_, n) => {
        stop.abort();
        return grant(n);
      },
    });
    const given = one.source.events(id, 0, stop.signal);
    const other = read(one);
    await expect(given).rejects.toMatchObject({ reason: 'aborted' });
    await expect(other).resolves.toMatchObject({ rows: [] });
    await expect(one.source.events(id, 0, stop.signal)).rejects.toMatchObject({ reason: 'aborted' });
    expect(one.logins()).toHaveLength(1);
  });

  test.each([
    [
      'no JSON',
      { body: '<html>' },
      'decode',
      'Could not log in: the answer is not JSON but a web page; is this the port of the REST API?',
    ],
    ['no token', { json: { access_token: 'two words' } }, 'decode', 'Could not log in: the answer holds no token'],
    ['an error', { status: 500, json: {} }, 'server', 'Could not log in: HTTP 500'],
    [
      'nothing there',
      { status: 404 },
      'rejected',
      'Could not log in: HTTP 404 (the server may not serve this API version)',
    ],
  ])('that is answered with %s fails, and is tried again', async (_, reply, reason, message) => {
    const one = await begin(() => page, { tokens: (__, n) => (n === 1 ? reply : grant(n)) });
    await expect(read(one)).rejects.toMatchObject({ reason, message });
    await expect(read(one)).resolves.toBeDefined();
  });

  test.each([
    [undefined, 600],
    ['3600', 3600],
    ['soon', 600],
    [-5, 600],
    [4800, 4800],
  ])('with a life of %j says when the token ends', async (expires_in, life) => {
    const one = await begin(() => page, { tokens: (_, n) => grant(n, { expires_in }) });
    expect(one.source.tokenExpiresAtMs()).toBeUndefined();
    await read(one);
    expect(one.source.tokenExpiresAtMs()).toBe(one.clock.now() + life * 1000);
  });
});

describe('a token', () => {
  test.each([
    [3600, 59 * minute],
    [120, minute],
    [100, 50_000],
    [2, 1000],
  ])('that lives %d s is renewed after %d ms', async (expires_in, renewed) => {
    const one = await begin(() => page, { tokens: (_, n) => grant(n, { expires_in }) });
    await read(one);
    one.clock.move(renewed - 1);
    await read(one);
    expect(one.logins()).toHaveLength(1);
    one.clock.move(1);
    await Promise.all([read(one), read(one)]);
    expect(one.logins().map(({ form }) => form)).toEqual([
      expect.objectContaining({ grant_type: 'password' }),
      { grant_type: 'refresh_token', refresh_token: 'refresh-1' },
    ]);
    const used = one.reads().map(asked => asked.authorization?.at(-1));
    expect(used).toEqual(['1', '1', '2', '2']);
  });

  test.each([400, 401, 403, 404])('whose renewal is refused with %i is replaced with the password', async status => {
    const one = await begin(() => page, { tokens: (_, n) => (n === 2 ? { status } : grant(n)) });
    await read(one);
    one.clock.move(59 * minute);
    await read(one);
    expect(one.logins().map(({ form }) => form['grant_type'])).toEqual(['password', 'refresh_token', 'password']);
    expect(one.reads().at(-1)?.authorization).toBe('Bearer token-3');
  });

  test('whose renewal fails is renewed next time', async () => {
    const one = await begin(() => page, { tokens: (_, n) => (n === 2 ? { status: 502 } : grant(n)) });
    await read(one);
    one.clock.move(59 * minute);
    await read(one); // with the old token
    await read(one);
    expect(one.logins().map(({ form }) => form['grant_type'])).toEqual(['password', 'refresh_token', 'refresh_token']);
  });

  test('without a refresh token is replaced with the password', async () => {
    const one = await begin(() => page, { tokens: (_, n) => grant(n, { refresh_token: null }) });
    await read(one);
    one.clock.move(59 * minute);
    await read(one);
    expect(one.logins().map(({ form }) => form['grant_type'])).toEqual(['password', 'password']);
  });

  test('that is refused is replaced once, and the request repeated', async () => {
    const one = await begin(({ authorization }) => (authorization === 'Bearer token-1' ? { status: 401 } : page));
    await expect(read(one)).resolves.toMatchObject({ rows: [] });
    expect(one.logins().map(({ form }) => form['grant_type'])).toEqual(['password', 'password']);
    expect(one.reads().map(asked => asked.authorization)).toEqual(['Bearer token-1', 'Bearer token-2']);
    expect(one.observed).toEqual(['token 2xx', 'events 4xx', 'token 2xx', 'events 2xx']);
  });

  test('that two requests were refused with is replaced once', async () => {
    let refused = 0;
    const { promise: both, resolve } = Promise.withResolvers<undefined>();
    const one = await begin(async ({ authorization }) => {
      if (authorization !== 'Bearer token-1') return page;
      refused += 1;
      if (refused === 2) resolve(undefined);
      await both;
      return { status: 401 };
    });
    await Promise.all([read(one), read(one)]);
    expect(one.logins()).toHaveLength(2);
    expect(one.reads()).toHaveLength(4);
  });

  test('that comes back refused late does not cost the one that replaced it', async () => {
    const { promise: late, resolve } = Promise.withResolvers<undefined>();
    const one = await begin(async ({ authorization, url }) => {
      if (authorization !== 'Bearer token-1') return page;
      if (url.includes('offset=7')) await late;
      return { status: 401 };
    });
    const slow = one.source.events(id, 7, never);
    await read(one);
    one.server.follow(() => ({ json: { offset: 7, limit: 1000, results: [] } }));
    resolve(undefined);
    await slow;
    expect(one.logins()).toHaveLength(2);
  });

  test('that is refused over and over, and was never accepted, costs one login more, and one a minute', async () => {
    const one = await begin(() => ({ status: 401 }));
    await expect(read(one)).rejects.toMatchObject({
      reason: 'auth',
      message: 'Could not read restore events: HTTP 401 (the token was refused)',
    });
    expect(one.logins()).toHaveLength(2);
    await expect(read(one)).rejects.toMatchObject({
      reason: 'auth',
      message: 'Could not read restore events: the server refuses the tokens that it issues',
    });
    expect([one.logins().length, one.reads().length]).toEqual([2, 3]);
    one.clock.move(minute);
    await expect(read(one)).rejects.toMatchObject({ reason: 'auth' });
    expect(one.logins()).toHaveLength(3);
  });

  test('that is refused is used until a login succeeds, since others may be accepted with it', async () => {
    let refusals = 0;
    const one = await begin(() => ((refusals += 1) === 1 ? { status: 401 } : page), {
      tokens: (_, n) => (n === 2 ? { status: 401 } : grant(n)),
    });
    await expect(read(one)).rejects.toMatchObject({ reason: 'auth', details: { operation: 'token' } });
    await expect(read(one)).resolves.toMatchObject({ rows: [] });
    expect(one.reads().map(asked => asked.authorization)).toEqual(['Bearer token-1', 'Bearer token-1']);
    one.clock.move(59 * minute);
    await read(one);
    expect(one.logins()).toHaveLength(3);
  });

  test('that cannot be renewed is used until it expires', async () => {
    const one = await begin(() => page, { tokens: (_, n) => (n === 1 ? grant(n) : { status: 401 }) });
    await read(one);
    one.clock.move(59.5 * minute);
    await expect(read(one)).resolves.toMatchObject({ rows: [] });
    one.clock.move(0.5 * minute);
    await expect(read(one)).rejects.toMatchObject({ reason: 'auth' });
    expect(one.logins()).toHaveLength(3);
  });

  test('that several requests were refused with at once counts as one login that did not help', async () => {
    const one = await begin(() => ({ status: 401 }));
    await Promise.allSettled([read(one), read(one), read(one), read(one)]);
    expect(one.logins()).toHaveLength(2);
    one.clock.move(minute);
    await expect(read(one)).rejects.toMatchObject({ message: expect.stringContaining('HTTP 401') });
    expect(one.logins()).toHaveLength(3);
  });

  test.each<[ApiVersion, readonly string[]]>([
    ['v6', []],
    ['v7', ['Bearer token-1']],
  ])('that was replaced is logged out from v7 on (%s)', async (apiVersion, loggedOut) => {
    const one = await begin(({ authorization }) => (authorization === 'Bearer token-1' ? { status: 401 } : page), {
      apiVersion,
    });
    await read(one);
    await read(one);
    const logouts = one.server.asked.filter(({ url }) => url.endsWith('/token/logout'));
    expect(logouts.map(({ authorization }) => authorization)).toEqual(loggedOut);
  });

  test('that is refused for events only costs a login after 1, 10 and every 30 minutes, although others accept it', async () => {
    const one = await begin(() => ({ status: 401 }));
    for (let count = 0; count < 120; count += 1) {
      await expect(read(one)).rejects.toMatchObject({ reason: 'auth', details: { operation: 'events' } });
      one.clock.move(minute);
    }
    expect(one.logins().length).toBeLessThanOrEqual(8);
  });
});
