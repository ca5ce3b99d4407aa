import { expect, test } from '@jest/globals';
import { createHeaders } from '../../src/pipeline/session-cache.js';
import { fakeServer, session } from '../support/server-run.js';

const { signal } = new AbortController();
const id = (n: number): string => `s${String(n)}`;
const over = session({ open: false, endedAt: 70n });

test('a session that discovery saw is not asked for', async () => {
  const server = fakeServer();
  const headers = createHeaders(server);
  headers.put(session(), 100n);
  expect(await headers.get('s1', signal)).toEqual({ session: session(), stoppedAt: undefined });
  expect(server.asked).toEqual([]);
});

test('a session that is not known is asked for once', async () => {
  const server = fakeServer();
  server.held.set('s1', over);
  const headers = createHeaders(server);
  expect(await headers.get('s1', signal)).toEqual({ session: over, stoppedAt: 70n });
  await headers.get('s1', signal);
  expect(server.asked).toEqual(['session s1']);
});

test('a session that the server does not have is asked for every time', async () => {
  const server = fakeServer();
  const headers = createHeaders(server);
  expect(await headers.get('s1', signal)).toBeUndefined();
  expect(await headers.get('s1', signal)).toBeUndefined();
  expect(server.asked).toEqual(['session s1', 'session s1']);
});

test('a session stopped when the server says so, else when that was first seen', async () => {
  const headers = createHeaders(fakeServer());
  const stoppedAt = async (): Promise<bigint | undefined> => (await headers.get('s1', signal))?.stoppedAt;
  const silent = session({ open: false });
  headers.put(silent, 100n);
  headers.put(silent, 200n);
  expect(await stoppedAt()).toBe(100n);
  headers.put(over, 300n);
  expect(await stoppedAt()).toBe(70n);
  headers.put(session(), 400n);
  expect(await stoppedAt()).toBeUndefined();
  headers.put(silent, 500n);
  expect(await stoppedAt()).toBe(500n);
});

test('a session asked for by id that does not say when it stopped did so by the clock of the server', async () => {
  const server = fakeServer();
  server.at = 900n;
  server.held.set('s1', session({ open: false }));
  expect((await createHeaders(server).get('s1', signal))?.stoppedAt).toBe(900n);
});

test('twenty thousand sessions are kept, the ones seen last', async () => {
  const server = fakeServer();
  const headers = createHeaders(server);
  for (let n = 0; n < 20_000; n += 1) headers.put(session({ id: id(n) }), 0n);
  headers.put(session({ id: id(0) }), 0n);
  headers.put(session({ id: 'new' }), 0n);
  await Promise.all([id(0), id(2), 'new'].map(async one => headers.get(one, signal)));
  expect(server.asked).toEqual([]);
  await headers.get(id(1), signal);
  expect(server.asked).toEqual(['session s1']);
});

test('a session that is known is asked for again by whoever doubts it, and kept as it is then', async () => {
  const server = fakeServer();
  server.held.set('s1', over);
  const headers = createHeaders(server);
  headers.put(session(), 100n);
  expect(await headers.ask('s1', signal)).toEqual({ session: over, stoppedAt: 70n });
  expect(await headers.get('s1', signal)).toEqual({ session: over, stoppedAt: 70n });
  server.held.delete('s1');
  expect(await headers.ask('s1', signal)).toBeUndefined();
  expect(server.asked).toEqual(['session s1', 'session s1']);
});
