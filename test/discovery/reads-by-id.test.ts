import { expect, test } from '@jest/globals';
import { ReadsById } from '../../src/discovery/reads-by-id.js';
import { ExporterError } from '../../src/kernel/errors.js';
import type { Session } from '../../src/model/session.js';
import { fakeClock, settle } from '../support/fake-clock.js';
import { session } from '../support/server-run.js';

const quit = new AbortController().signal;
const serverError = new ExporterError('server', 'Could not read a restore session: HTTP 500');
const ids = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `s${String(index)}`);

/** Reads over a server that answers at once, or as `answer` says. */
function readsOver(answer: (id: string) => Promise<Session | undefined>, lateAfterMs = 20) {
  const clock = fakeClock();
  const asked: string[] = [];
  const woken: number[] = [];
  const source = {
    now: () => 7n,
    session: async (id: string) => {
      asked.push(id);
      return answer(id);
    },
  };
  const reads = new ReadsById({ source, clock, random: () => 0, lateAfterMs }, () => woken.push(clock.now()));
  const read = async (...of: readonly string[]) => {
    const { sessions, gone, unread, rejects } = await reads.read(of, quit);
    return { sessions: sessions.map(({ id }) => id), gone: [...gone], unread, rejects };
  };
  return { clock, reads, asked, woken, read };
}

const found = async (id: string): Promise<Session> => session({ id });
const hanging = () => {
  const held = Promise.withResolvers<undefined>();
  return {
    answer: held.resolve,
    of: async (id: string) => (id === 's0' ? held.promise.then(() => found(id)) : found(id)),
  };
};

test('a session that does not answer delays the others for a moment, is named after 10 s, and is taken when it answers', async () => {
  const { of, answer } = hanging();
  const { clock, reads, asked, woken, read } = readsOver(of);
  expect(await read(...ids(6))).toMatchObject({
    sessions: ['s1', 's2', 's3', 's4', 's5'],
    unread: ['s0'],
    rejects: [],
  });
  expect([reads.dueMs(['s0']), reads.newlyLate()]).toEqual([10_000, []]);
  await clock.advance(10_000);
  expect([reads.newlyLate(), reads.newlyLate(), reads.dueMs(['s0'])]).toEqual([['s0'], [], Infinity]);
  expect(await read('s0')).toMatchObject({ sessions: [], unread: ['s0'] });
  answer(undefined);
  await settle();
  expect([woken, reads.dueMs(['s0'])]).toEqual([[10_000], -Infinity]);
  expect(await read('s0')).toMatchObject({ sessions: ['s0'], unread: [] });
  expect(asked.filter(id => id === 's0')).toHaveLength(1);
});

test('a session that changes while it is read is read once more', async () => {
  const { of, answer } = hanging();
  const { reads, asked, read } = readsOver(of);
  await read('s0');
  reads.outdate(['s0', 's1']);
  answer(undefined);
  await settle();
  expect(await read('s0')).toMatchObject({ sessions: ['s0'], unread: ['s0'] });
  expect(await read('s0')).toMatchObject({ sessions: ['s0'], unread: [] });
  expect(asked).toEqual(['s0', 's0']);
});

test('an answer that nobody waited for is dropped', async () => {
  const { of, answer } = hanging();
  const { asked, read } = readsOver(of);
  await read('s0');
  await read('s1');
  answer(undefined);
  await settle();
  await read('s1');
  expect(await read('s0')).toMatchObject({ sessions: ['s0'], unread: [] });
  expect(asked.filter(id => id === 's0')).toHaveLength(2);
});

test('a session that failed rests, longer after each failure, and others are read before it', async () => {
  let isBroken = true;
  const { clock, reads, asked, read } = readsOver(async id => {
    if (id === 's0' && isBroken) throw serverError;
    return found(id);
  });
  const rejects = ['Could not read a restore session: HTTP 500 (session s0)'];
  expect(await read('s0', 's1')).toMatchObject({ sessions: ['s1'], unread: ['s0'], rejects });
  expect(await read('s0', 's1')).toMatchObject({ sessions: ['s1'], unread: ['s0'], rejects: [] });
  expect(reads.dueMs(['s0'])).toBe(1_000);
  await clock.advance(1_000);
  isBroken = false;
  asked.length = 0;
  expect(await read('s0', 's1')).toMatchObject({ sessions: ['s0', 's1'], unread: [] });
  expect(asked).toEqual(['s1', 's0']);
});

const never = async (): Promise<Session> => new Promise(() => undefined);

test('at most four sessions that failed are read in one go, and sixteen wait for the server', async () => {
  const full = readsOver(never);
  expect((await full.read(...ids(40))).unread).toHaveLength(40);
  expect([full.asked.length, full.reads.dueMs(['s39'])]).toEqual([16, Infinity]);
  const failing = readsOver(async () => Promise.reject(serverError));
  await failing.read(...ids(12));
  await failing.clock.advance(1_000);
  await failing.read(...ids(12));
  expect(failing.asked).toHaveLength(16);
});

test('a failure of the server ends the reading', async () => {
  const refused = new ExporterError('network', 'Could not connect');
  const { asked, read } = readsOver(async () => Promise.reject(refused));
  await expect(read(...ids(12))).rejects.toBe(refused);
  expect(asked).toHaveLength(4);
});

test('a session that the server no longer has is gone', async () => {
  const { read } = readsOver(async () => undefined);
  expect(await read('s0')).toMatchObject({ gone: ['s0'], unread: [] });
});
