import { expect, test } from '@jest/globals';
import { createSessionCache } from '../../src/pipeline/session-cache.js';
import { fakeServer, session } from '../support/server-run.js';

const { signal } = new AbortController();
const id = (n: number): string => `s${String(n)}`;
const over = session({ open: false, endedAt: 70n });

test('a session that discovery saw is not asked for', async () => {
  const server = fakeServer();
  const sessionCache = createSessionCache(server);
  sessionCache.put(session(), 100n);
  expect(await sessionCache.get('s1', signal)).toEqual({ session: session(), stoppedAt: undefined });
  expect(server.asked).toEqual([]);
});

test('a session that is not known is asked for once', async () => {
  const server = fakeServer();
  server.held.set('s1', over);
  const sessionCache = createSessionCache(server);
  expect(await sessionCache.get('s1', signal)).toEqual({ session: over, stoppedAt: 70n });
  await sessionCache.get('s1', signal);
  expect(server.asked).toEqual(['session s1']);
});

test('a session that the server does not have is asked for every time', async () => {
  const server = fakeServer();
  const sessionCache = createSessionCache(server);
  expect(await sessionCache.get('s1', signal)).toBeUndefined();
  expect(await sessionCache.get('s1', signal)).toBeUndefined();
  expect(server.asked).toEqual(['session s1', 'session s1']);
});

test('a session stopped when the server says so, else when that was first seen', async () => {
  const sessionCache = createSessionCache(fakeServer());
  const stoppedAt = async (): Promise<bigint | undefined> => (await sessionCache.get('s1', signal))?.stoppedAt;
  const silent = session({ open: false });
  sessionCache.put(silent, 100n);
  sessionCache.put(silent, 200n);
  expect(await stoppedAt()).toBe(100n);
  sessionCache.put(over, 300n);
  expect(await stoppedAt()).toBe(70n);
  sessionCache.put(session(), 400n);
  expect(await stoppedAt()).toBeUndefined();
  sessionCache.put(silent, 500n);
  expect(await stoppedAt()).toBe(500n);
});

test('a session asked for by id that does not say when it stopped did so by the clock of the server', async () => {
  const server = fakeServer();
  server.at = 900n;
  server.held.set('s1', session({ open: false }));
  expect((await createSessionCache(server).get('s1', signal))?.stoppedAt).toBe(900n);
});

test('twenty thousand sessions are kept, the ones seen last', async () => {
  const server = fakeServer();
  const sessionCache = createSessionCache(server);
  for (let n = 0; n < 20_000; n += 1) sessionCache.put(session({ id: id(n) }), 0n);
  sessionCache.put(session({ id: id(0) }), 0n);
  sessionCache.put(session({ id: 'new' }), 0n);
  await Promise.all([id(0), id(2), 'new'].map(async one => sessionCache.get(one, signal)));
  expect(server.asked).toEqual([]);
  await sessionCache.get(id(1), signal);
  expect(server.asked).toEqual(['session s1']);
});

test('fewer sessions with long texts are kept: 16 million characters', async () => {
  const server = fakeServer();
  const sessionCache = createSessionCache(server);
  for (let n = 0; n < 3; n += 1) sessionCache.put(session({ id: id(n), details: 'd'.repeat(8_000_000) }), 0n);
  expect([0, 1, 2].map(n => sessionCache.peek(id(n)) !== undefined)).toEqual([false, true, true]);
  for (let n = 0; n < 3; n += 1) sessionCache.put(session({ id: id(1), details: '' }), 0n);
  sessionCache.put(session({ id: id(3), details: 'd'.repeat(8_000_000) }), 0n);
  expect([1, 2, 3].map(n => sessionCache.peek(id(n)) !== undefined)).toEqual([true, true, true]);
});

test('a refresh asks for a known session again, and keeps the answer', async () => {
  const server = fakeServer();
  server.held.set('s1', over);
  const sessionCache = createSessionCache(server);
  sessionCache.put(session(), 100n);
  expect(await sessionCache.refresh('s1', signal)).toEqual({ session: over, stoppedAt: 70n });
  expect(await sessionCache.get('s1', signal)).toEqual({ session: over, stoppedAt: 70n });
  server.held.delete('s1');
  expect(await sessionCache.refresh('s1', signal)).toBeUndefined();
  expect(server.asked).toEqual(['session s1', 'session s1']);
});
