import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { hash } from 'bcryptjs';
import { PasswordCheck } from '../../src/web/basic-auth.js';
import type { Listening } from '../../src/web/listen.js';
import { openWeb, type WebConfig } from '../../src/config/web-config.js';
import { ask, serve } from '../support/web.js';

const open: Listening[] = [];
afterEach(async () => {
  await Promise.all(open.splice(0).map(async server => server.close()));
});

let users: WebConfig['users'] = {};
beforeAll(async () => {
  users = { alice: await hash('pass:wörd', 4), bob: (await hash('builder', 4)).replace('$2b$', '$2y$') };
});

/** The status of a request with this `Authorization` to a server with the users `alice` and `bob`. */
async function status(path: string, authorization?: string, webConfig = { ...openWeb, users }): Promise<number> {
  const server = await serve({ webConfig: () => webConfig });
  open.push(server);
  const headers = authorization === undefined ? {} : { authorization };
  return (await ask(server.port, path, 'GET', headers)).status;
}

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('a page behind a password', () => {
  test.each(['/', '/metrics', '/style.css', '/icon.svg', '/nowhere'])('%s needs a login', async path => {
    expect(await status(path)).toBe(401);
    expect(await status(path, basic('alice:pass:wörd'))).not.toBe(401);
  });

  test('asks for a login', async () => {
    const server = await serve({ webConfig: () => ({ ...openWeb, users }) });
    open.push(server);
    const { headers, body } = await ask(server.port, '/metrics');
    expect(headers['www-authenticate']).toBe('Basic realm="vb365-exporter", charset="UTF-8"');
    expect(body).toBe('Unauthorized\n');
  });

  test.each(['/-/healthy', '/healthz', '/-/ready', '/readyz'])(
    'does not cover %s: orchestrators have no password',
    async path => {
      expect(await status(path)).toBe(200);
    },
  );

  test.each([
    basic('alice:wrong'),
    basic('alice'),
    basic('bob:pass:wörd'),
    basic('mallory:builder'),
    basic('__proto__:x'),
    'Bearer abc',
    'Basic',
    'Basic %%%',
    '',
  ])('refuses %p', async authorization => {
    expect(await status('/metrics', authorization)).toBe(401);
  });

  test('accepts a hash written by htpasswd', async () => {
    expect(await status('/metrics', basic('bob:builder'))).toBe(200);
  });

  test('needs no login when no user is configured', async () => {
    expect(await status('/metrics', basic('who:ever'), { ...openWeb, users: {} })).toBe(200);
  });

  test('refuses a password that was changed, although it was cached', async () => {
    const check = new PasswordCheck();
    const alice = { name: 'alice', password: 'pass:wörd' };
    expect(await check.isRight(users, alice)).toBe(true);
    expect(await check.isRight(users, alice)).toBe(true);
    expect(await check.isRight({ alice: await hash('new', 4) }, alice)).toBe(false);
    expect(await check.isRight({}, alice)).toBe(false);
  });

  test('accepts a cached login at once while guesses queue up', async () => {
    const check = new PasswordCheck();
    const slow = { ...users, mallory: await hash('secret', 10) };
    const alice = { name: 'alice', password: 'pass:wörd' };
    await check.isRight(slow, alice);
    const done: string[] = [];
    const guesses = ['a', 'b', 'c'].map(async password => {
      await check.isRight(slow, { name: 'mallory', password });
      done.push('guess');
    });
    await check.isRight(slow, alice).then(() => done.push('alice'));
    await Promise.all(guesses);
    expect(done[0]).toBe('alice');
  });
});

describe('configured headers', () => {
  test('are on every response and replace the default of the same name', async () => {
    const headers = { 'Strict-Transport-Security': 'max-age=1', 'Content-Security-Policy': "default-src 'self'" };
    const server = await serve({ webConfig: () => ({ ...openWeb, headers }) });
    open.push(server);
    expect((await ask(server.port, '/nowhere')).headers).toMatchObject({
      'strict-transport-security': 'max-age=1',
      'content-security-policy': "default-src 'self'",
      'x-content-type-options': 'nosniff',
    });
  });
});
