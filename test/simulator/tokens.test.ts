import { describe, expect, test } from '@jest/globals';
import { drivenClock, visiting, Visitor } from '../support/simulator.js';

type TokenBody = {
  access_token: string;
  refresh_token: string;
  expires_in: number;
  '.issued': string;
  '.expires': string;
};

const refresh = (token: string): Record<string, string> => ({ grant_type: 'refresh_token', refresh_token: token });

describe('logging in', () => {
  test('up to v5 gives an opaque token and times of RFC 1123', async () => {
    await visiting(3, {}, async visitor => {
      const body = (await visitor.login(3)).json as TokenBody;
      expect(Object.keys(body)).toEqual([
        'access_token',
        'token_type',
        'expires_in',
        'refresh_token',
        'userName',
        '.issued',
        '.expires',
      ]);
      expect(body).toMatchObject({ token_type: 'bearer', expires_in: 3600, userName: 'simulator' });
      expect(body.access_token).toMatch(/^AQAAANCMnd8B[\w-]+$/);
      expect([body['.issued'], body['.expires']]).toEqual([
        'Mon, 06 May 2024 12:00:00 GMT',
        'Mon, 06 May 2024 13:00:00 GMT',
      ]);
    });
  });

  test('from v6 gives something of the shape of a JWT, and ISO times', async () => {
    await visiting(6, { quirks: { tokenLifetimeSeconds: 90 } }, async visitor => {
      const body = (await visitor.login(6)).json as TokenBody;
      const claims: unknown = JSON.parse(Buffer.from(body.access_token.split('.')[1] ?? '', 'base64url').toString());
      expect(claims).toMatchObject({ unique_name: 'simulator' });
      expect(body).toMatchObject({
        expires_in: 90,
        '.issued': '2024-05-06T12:00:00Z',
        '.expires': '2024-05-06T12:01:30Z',
      });
    });
  });

  test('works with a JSON body, and any letter case of the name', async () => {
    await visiting(8, { username: 'EXAMPLE\\Svc', password: 'päss' }, async visitor => {
      const init = { method: 'POST', headers: { 'content-type': 'application/json' } };
      const body = JSON.stringify({
        grant_type: 'password',
        username: 'example\\svc',
        password: 'päss',
        disable_antiforgery_token: true,
      });
      const answer = await visitor.send('/v8/token', { ...init, body });
      expect([answer.status, answer.headers.get('set-cookie')]).toEqual([200, null]);
    });
  });

  test.each([
    [3, {}, { error: 'invalid_grant', error_description: 'The server has rejected the client credentials' }],
    [6, {}, { message: 'The server has rejected the client credentials' }],
    [7, {}, { message: 'The server has rejected the client credentials' }],
    [8, {}, { message: 'The server has rejected the client credentials', errorCode: 'ResourceAccessDenied' }],
    [
      5,
      { username: 'other', password: 'simulator' },
      { error: 'invalid_grant', error_description: 'The server has rejected the client credentials' },
    ],
    [
      4,
      { grant_type: 'magic' },
      { error: 'unsupported_grant_type', error_description: 'The grant type is not supported' },
    ],
    [6, refresh('unknown'), { message: 'The refresh token is not valid' }],
  ])('v%d refuses what is wrong: %j', async (version, wrong, body) => {
    await visiting(version, {}, async visitor => {
      const answer = await visitor.login(version, { password: 'wrong', ...wrong });
      expect([answer.status, answer.json]).toEqual([400, body]);
      expect((await visitor.send(`/v${version}/token`, { method: 'POST' })).status).toBe(400);
    });
  });
});

describe('an application', () => {
  const grant_type = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

  test('logs in with its assertion, and renews its token like anybody', async () => {
    await visiting(8, { clients: { app: 'signed' } }, async visitor => {
      const body = (await visitor.login(8, { grant_type, client_id: 'app', assertion: 'signed' })).json as TokenBody;
      expect((await visitor.get('/v8/RestoreSessions')).status).toBe(200);
      expect((await visitor.login(8, refresh(body.refresh_token))).status).toBe(200);
    });
  });

  test.each([
    { client_id: 'app', assertion: 'forged' },
    { client_id: 'other', assertion: 'signed' },
    { client_id: 'toString' },
    { client_id: 'app' },
    {},
  ])('is refused with %j', async form => {
    await visiting(6, { clients: { app: 'signed' } }, async visitor => {
      const answer = await visitor.login(6, { grant_type, ...form });
      expect([answer.status, answer.json]).toEqual([
        400,
        { message: 'The server has rejected the client credentials' },
      ]);
    });
  });

  test('needs no password of an account with MFA, which is refused', async () => {
    await visiting(8, { clients: { app: 'signed' }, quirks: { mfa: true } }, async visitor => {
      expect((await visitor.login(8)).status).toBe(400);
      expect((await visitor.login(8, { grant_type, client_id: 'app', assertion: 'signed' })).status).toBe(200);
    });
  });
});

describe('a token', () => {
  test('is needed: 401 with an empty body without one, with a wrong one, and after its life', async () => {
    const clock = drivenClock();
    await visiting(8, { clock, quirks: { tokenLifetimeSeconds: 60 } }, async (visitor, simulator) => {
      for (const stranger of ['', 'wrong']) {
        const other = new Visitor(simulator);
        other.token = stranger;
        const answer = await other.get('/v8/RestoreSessions');
        expect([answer.status, answer.text]).toEqual([401, '']);
      }
      expect((await new Visitor(simulator).send('/v8/RestoreSessions')).status).toBe(401);
      clock.advance(59_999);
      expect((await visitor.get('/v8/RestoreSessions')).status).toBe(200);
      clock.advance(1);
      expect((await visitor.get('/v8/RestoreSessions')).status).toBe(401);
    });
  });

  test('is renewed as a pair; the old refresh token is of no use then, or after its life', async () => {
    const clock = drivenClock();
    await visiting(6, { clock, quirks: { refreshLifetimeSeconds: 7200 } }, async visitor => {
      const first = (await visitor.login(6)).json as TokenBody;
      const second = (await visitor.login(6, refresh(first.refresh_token))).json as TokenBody;
      expect([second.access_token, second.refresh_token]).not.toContain(first.access_token);
      expect(second.refresh_token).not.toBe(first.refresh_token);
      expect((await visitor.login(6, refresh(first.refresh_token))).status).toBe(400);
      expect((await visitor.get('/v6/RestoreSessions')).status).toBe(200);
      clock.advance(7_200_000);
      expect((await visitor.login(6, refresh(second.refresh_token))).status).toBe(400);
    });
  });

  test('ends when it is revoked; a refresh token only when it is meant too', async () => {
    await visiting(6, {}, async (visitor, simulator) => {
      const { refresh_token } = (await visitor.login(6)).json as TokenBody;
      simulator.revokeTokens();
      expect((await visitor.get('/v6/RestoreSessions')).status).toBe(401);
      const renewed = (await visitor.login(6, refresh(refresh_token))).json as TokenBody;
      simulator.revokeTokens(true);
      expect((await visitor.login(6, refresh(renewed.refresh_token))).status).toBe(400);
    });
  });

  test.each([
    [6, 404, 200],
    [7, 200, 401],
    [8, 204, 401],
  ])('ends by logging out, in v%d: %d', async (version, status, afterwards) => {
    await visiting(version, {}, async visitor => {
      const headers = { authorization: `Bearer ${visitor.token}` };
      const answer = await visitor.send(`/v${version}/token/logout`, { method: 'POST', headers });
      expect([answer.status, answer.text]).toEqual([status, '']);
      expect((await visitor.get(`/v${version}/RestoreSessions`)).status).toBe(afterwards);
    });
  });

  test('can be demanded together with its antiforgery token, from v7', async () => {
    await visiting(7, { quirks: { demandAntiforgery: true } }, async visitor => {
      expect((await visitor.get('/v7/RestoreSessions')).status).toBe(200);
      const cookie = (await visitor.login(7)).headers.get('set-cookie');
      const antiforgery = /XSRF-TOKEN=(?<value>[^;]+)/.exec(cookie ?? '')?.groups?.['value'] ?? '';
      expect((await visitor.get('/v7/RestoreSessions')).status).toBe(400);
      expect((await visitor.get('/v7/RestoreSessions', { 'x-xsrf-token': 'wrong' })).status).toBe(400);
      expect((await visitor.get('/v7/RestoreSessions', { 'x-xsrf-token': antiforgery })).status).toBe(200);
      await visitor.login(6);
      expect((await visitor.get('/v6/RestoreSessions')).status).toBe(200);
    });
  });
});
