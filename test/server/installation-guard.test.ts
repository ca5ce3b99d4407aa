import { describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { askInstance, guardInstallation } from '../../src/server/installation.js';
import type { InstanceInfo } from '../../src/pipeline/ports.js';
import { fakeClock } from '../support/fake-clock.js';
import { fakeServer } from '../support/server-run.js';

const never = new AbortController().signal;
const instance = (installationId: string): InstanceInfo => ({ apiVersion: 'v6', version: '6.0', installationId });

/** A guarded server that was installation `a` at the start; `is` says what it is now. */
const stage = (known: InstanceInfo | undefined = instance('a')) => {
  const is = { id: 'a', asked: 0, login: 1 as number | undefined };
  const server = Object.assign(fakeServer(), { now: () => 0n, tokenExpiresAtMs: () => is.login });
  server.instance = async () => {
    is.asked += 1;
    if (server.failure !== undefined) throw server.failure;
    return instance(is.id);
  };
  const clock = fakeClock();
  const identity = guardInstallation(server, known, clock);
  const read = async (): Promise<unknown> => identity.source.sessions(undefined, never);
  return { server, is, clock, identity, read };
};
const another = { reason: 'rejected', message: 'Could not read from the server: it is another installation now' };

describe('a server is asked for its installation', () => {
  test('not while it answers requests', async () => {
    const { is, read, identity } = stage();
    await read();
    await identity.source.session('s', never);
    await identity.source.events('s', 0, never);
    expect(is.asked).toBe(0);
  });

  test.each(['auth', 'network', 'server', 'throttled', 'timeout'] as const)(
    'after a failure with %s, before anything else is read',
    async reason => {
      const { server, is, read, identity } = stage();
      server.failure = new ExporterError(reason, 'Down');
      await expect(read()).rejects.toMatchObject({ reason });
      server.failure = undefined;
      is.id = 'b';
      const before = server.asked.length;
      await expect(Promise.all([read(), read()])).rejects.toMatchObject(another);
      expect([server.asked.length, is.asked]).toEqual([before, 1]);
      expect(identity.changed.aborted).toBe(true);
      await expect(read()).rejects.toMatchObject(another);
    },
  );

  test('and nothing is read until it answers', async () => {
    const { server, is, read, identity } = stage();
    server.failure = new ExporterError('network', 'Down');
    await expect(read()).rejects.toMatchObject({ reason: 'network' });
    const before = server.asked.length;
    await expect(read()).rejects.toMatchObject({ reason: 'network' });
    expect([server.asked.length, is.asked, identity.changed.aborted]).toEqual([before, 1, false]);
    server.failure = undefined;
    await read();
    expect(is.asked).toBe(2);
  });

  test('after a new login, before its answers are used', async () => {
    const { server, is, read } = stage();
    server.sessions = async () => ((is.login = 2), { sessions: [], rejects: [] });
    await read();
    expect(is.asked).toBe(1);
    is.login = 1;
    is.id = 'b';
    await expect(read()).rejects.toMatchObject(another);
  });

  test('every quarter of an hour', async () => {
    const { is, clock, read, identity } = stage();
    await clock.advance(899_999);
    await read();
    expect(is.asked).toBe(0);
    await clock.advance(1);
    await read();
    await read();
    expect([is.asked, identity.changed.aborted]).toEqual([1, false]);
  });
});

test('a server that starts to report an id must be identified again', async () => {
  const { clock, read, identity } = stage(instance(''));
  await clock.advance(900_000);
  await expect(read()).rejects.toMatchObject(another);
  expect(identity.changed.aborted).toBe(true);
});

test('a server that stops reporting an id stays the same installation', async () => {
  const { is, clock, read, identity } = stage();
  is.id = '';
  await clock.advance(900_000);
  await read();
  expect(identity.changed.aborted).toBe(false);
});

const failing = (reason: 'rejected' | 'server') => ({
  instance: async () => {
    throw new ExporterError(reason, 'No');
  },
});

test('a server that refuses the request has no instance info; other failures are thrown', async () => {
  expect(await askInstance(failing('rejected'), never)).toBeUndefined();
  await expect(askInstance(failing('server'), never)).rejects.toMatchObject({ reason: 'server' });
});
