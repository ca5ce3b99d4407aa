import { afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { hash } from 'bcryptjs';
import { monitorEventLoopDelay, performance } from 'node:perf_hooks';
import { PasswordCheck } from '../../src/web/basic-auth.js';
import type { Listening } from '../../src/web/listen.js';
import { openWeb, type WebConfig } from '../../src/config/web-config.js';
import { refusedLoginLog } from '../../src/web/refused-logins.js';
import { ask, connection, serve } from '../support/web.js';

const never = new AbortController().signal;
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
    expect(await check.verdict(users, alice, never)).toBe('right');
    expect(await check.verdict(users, alice, never)).toBe('right');
    expect(await check.verdict({ alice: await hash('new', 4) }, alice, never)).toBe('wrong');
    expect(await check.verdict({ bob: await hash('new', 4) }, alice, never)).toBe('wrong');
  });
});

const alice = { name: 'alice', password: 'pass:wörd' };
const guess = (password: string) => ({ name: 'mallory', password });

describe('wrong passwords', () => {
  let slow: WebConfig['users'] = {};
  beforeAll(async () => {
    slow = { ...users, mallory: await hash('secret', 7) };
  });

  test('cannot queue: what is too much is refused at once, and a cached login does not wait', async () => {
    const check = new PasswordCheck();
    await check.verdict(slow, alice, never);
    const done: string[] = [];
    const guesses = Array.from({ length: 50 }, async (_, n) => {
      const verdict = await check.verdict(slow, guess(String(n)), never);
      done.push(verdict);
      return verdict;
    });
    await check.verdict(slow, alice, never).then(() => done.push('alice'));
    const verdicts = await Promise.all(guesses);
    expect(done.indexOf('alice')).toBeLessThanOrEqual(done.indexOf('wrong'));
    expect(verdicts.filter(verdict => verdict === 'wrong')).toHaveLength(8);
    expect(verdicts.filter(verdict => verdict === 'busy')).toHaveLength(42);
    expect(await check.verdict(slow, guess('secret'), never)).toBe('right');
  });

  test('do not block the event loop', async () => {
    const check = new PasswordCheck();
    const delays = monitorEventLoopDelay({ resolution: 5 });
    const costly = { mallory: await hash('secret', 4).then(text => text.replace('$04$', '$13$')) };
    delays.enable();
    await check.verdict(costly, guess('wrong'), never);
    delays.disable();
    expect(delays.max / 1e6).toBeLessThan(200);
  });

  test('are dropped when the client is gone, in the queue and in the thread', async () => {
    const check = new PasswordCheck();
    const endless = { mallory: (await hash('secret', 4)).replace('$04$', '$31$') };
    const gone = new AbortController();
    const waiting = Array.from({ length: 8 }, async () => check.verdict(endless, guess('x'), gone.signal));
    expect(await check.verdict(endless, guess('x'), never)).toBe('busy');
    gone.abort();
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['gone']));
    expect(await check.verdict(users, alice, never)).toBe('right');
  });

  test('take as long for an unknown user as for a known one, whatever the costs are', async () => {
    const check = new PasswordCheck();
    const mixed = { low: await hash('a', 4), middle: await hash('a', 8), high: await hash('a', 10) };
    const timeOf = async (name: string): Promise<number> => {
      const startedMs = performance.now();
      expect(await check.verdict(mixed, { name, password: 'wrong' }, never)).toBe('wrong');
      return performance.now() - startedMs;
    };
    const best = new Map<string, number>();
    const ratio = (): number => Math.max(...best.values()) / Math.min(...best.values());
    // A busy machine delays some of them; the least of several rounds comes near what each takes.
    for (let round = 0; round < 3 || (ratio() >= 2 && round < 40); round += 1) {
      for (const name of ['low', 'middle', 'high', 'nobody'])
        best.set(name, Math.min(best.get(name) ?? Infinity, await timeOf(name)));
    }
    expect(ratio()).toBeLessThan(2);
  });

  test('get 503 with Retry-After, are counted by reason, and end when the connection closes', async () => {
    const endless = { mallory: (await hash('secret', 4)).replace('$04$', '$31$'), alice: users['alice'] ?? '' };
    const refused: string[] = [];
    const over = {
      webConfig: () => ({ ...openWeb, users: endless }),
      loginRefused: (why: string) => refused.push(why),
    };
    const server = await serve(over);
    open.push(server);
    const login = `GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: ${basic('mallory:x')}\r\n\r\n`;
    const sockets = await Promise.all(Array.from({ length: 8 }, async () => connection(server.port)));
    for (const { socket } of sockets) socket.write(login);
    const headers = { authorization: basic('mallory:y') };
    const answered = async (wanted: number) => {
      for (let reply = await ask(server.port, '/metrics', 'GET', headers); ;) {
        if (reply.status === wanted) return reply;
        reply = await ask(server.port, '/metrics', 'GET', headers);
      }
    };
    expect(await answered(503)).toMatchObject({ headers: { 'retry-after': '1' }, body: 'Too many logins\n' });
    expect((await ask(server.port, '/healthz')).status).toBe(200);
    for (const { socket } of sockets) socket.destroy();
    const right = { authorization: basic('alice:pass:wörd') };
    let reply = await ask(server.port, '/metrics', 'GET', right);
    for (; reply.status === 503;) reply = await ask(server.port, '/metrics', 'GET', right);
    expect(reply.status).toBe(200);
    await ask(server.port, '/metrics');
    expect(new Set(refused)).toEqual(new Set(['busy', 'missing']));
  });
});

test('refused logins are logged at once, then together, once per minute', () => {
  const lines: unknown[] = [];
  const timers: (() => void)[] = [];
  const refused = refusedLoginLog({ warn: (message, fields) => void lines.push([message, fields]) }, (ms, act) => {
    expect(ms).toBe(60_000);
    timers.push(act);
    return () => undefined;
  });
  refused('missing', '10.0.0.9');
  expect(lines).toEqual([]);
  for (const address of ['10.0.0.1', '10.0.0.2', '10.0.0.3']) refused('wrong', address);
  expect(lines).toEqual([['Logins refused', { count: 1, last_address: '10.0.0.1' }]]);
  timers.shift()?.();
  expect(lines.slice(1)).toEqual([['Logins refused', { count: 2, last_address: '10.0.0.3' }]]);
  timers.shift()?.();
  expect([lines.length, timers.length]).toEqual([2, 0]);
  refused('busy', '10.0.0.4');
  expect(lines).toHaveLength(3);
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
