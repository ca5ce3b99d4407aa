import { expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { entryOf } from '../../src/pipeline/backlog.js';
import type { SessionPart } from '../../src/pipeline/batch-builder.js';
import { type ReadOutcome, ConcurrentReads } from '../../src/pipeline/concurrent-reads.js';
import { fakeClock, settle } from '../support/fake-clock.js';

const quit = new AbortController().signal;
const entry = (session: string) => entryOf({ sink: 'metrics', session, createdAt: 0n, done: false, cursor: ';;' });
const entries = (count: number) => Array.from({ length: count }, (_, index) => entry(`s${String(index)}`));
const serverError = new ExporterError('server', 'Could not read restore events: HTTP 500');

/** Reads of one part each, over a server that answers a session at once, or as `answers` says. */
function readsOver(answers: Readonly<Record<string, Promise<unknown>>>, patienceMs = 50) {
  const clock = fakeClock();
  const began: string[] = [];
  const woken: number[] = [];
  const reads = new ConcurrentReads({
    clock,
    patienceMs,
    wake: () => woken.push(clock.now()),
    read: async function* read(one): AsyncGenerator<SessionPart> {
      began.push(one.row.session);
      await answers[one.row.session];
      yield { entry: one, changed: true, session: undefined };
    },
  });
  const collect = async (due = entries(8)): Promise<readonly string[]> => {
    const names: string[] = [];
    for await (const outcome of reads.outcomes(due, quit)) names.push(nameOf(outcome));
    return names;
  };
  return { clock, reads, began, woken, collect };
}

const nameOf = (outcome: ReadOutcome): string =>
  'error' in outcome
    ? `${outcome.session} ${outcome.error.reason}${outcome.ofServer ? ' of the server' : ''}`
    : outcome.entry.row.session;

const rejected = async (error: ExporterError): Promise<never> => {
  throw error;
};

test('sessions are handed out oldest first, and four are read at a time', async () => {
  const slow = Promise.withResolvers<undefined>();
  const { began, collect } = readsOver({ s0: slow.promise }, 60_000);
  const all = collect();
  await settle();
  expect(began).toEqual(['s0', 's1', 's2', 's3']);
  slow.resolve(undefined);
  expect(await all).toEqual(['s0', 's1', 's2', 's3', 's4', 's5', 's6', 's7']);
});

test('a session that does not answer holds up the others for a moment, is named after 10 s, and wakes the sink when it answers', async () => {
  const hanging = Promise.withResolvers<undefined>();
  const { clock, reads, woken, began, collect } = readsOver({ s0: hanging.promise });
  const first = collect();
  expect(await first).toEqual(['s1', 's2', 's3', 's4', 's5', 's6', 's7']);
  expect(reads.newlyLate()).toEqual([]);
  await clock.advance(10_000);
  expect([reads.newlyLate(), reads.newlyLate()]).toEqual([['s0'], []]);
  expect(await collect(entries(2))).toEqual(['s1']);
  expect(began.filter(session => session === 's0')).toHaveLength(1);
  hanging.resolve(undefined);
  await settle();
  expect(woken).toEqual([10_000]);
  expect(await collect([])).toEqual(['s0']);
});

test('a late read goes on after a failed delivery; one that handed out a part is forgotten', async () => {
  const hanging = Promise.withResolvers<undefined>();
  const { reads, began, collect } = readsOver({ s0: hanging.promise });
  const first = collect(entries(2));
  await first;
  reads.endDelivery(false);
  hanging.resolve(undefined);
  expect(await collect(entries(2))).toEqual(['s0', 's1']);
  expect(began).toEqual(['s0', 's1', 's1']);
});

const failing = (count: number) =>
  Object.fromEntries(entries(count).map(({ row }) => [row.session, rejected(serverError)]));

test('five different sessions that fail in a row are a failure of the server, fewer are not', async () => {
  const four = readsOver(failing(4));
  expect((await four.collect()).filter(name => name.includes('of the server'))).toEqual([]);
  const five = readsOver(failing(5));
  expect((await five.collect()).at(-1)).toBe('s4 server of the server');
});

test.each([
  ['a refused login', new ExporterError('auth', 'Could not log in', { details: { operation: 'token' } }), true],
  ['a refused connection', new ExporterError('network', 'Could not connect'), true],
  ['a 429 with a time', new ExporterError('throttled', 'Could not read', { retryAfterMs: 7_000 }), true],
  ['a 429 without', new ExporterError('throttled', 'Could not read'), false],
  ['a 401 for its events', new ExporterError('auth', 'Could not read', { details: { operation: 'events' } }), false],
  ['a reset', new ExporterError('network', 'Could not connect', { details: { connected: true } }), false],
])('%s concerns the whole server: %#', async (_, error, isOfServer) => {
  const { collect } = readsOver({ s0: rejected(error) });
  const names = await collect();
  expect(names[0]?.endsWith('of the server')).toBe(isOfServer);
  expect(names).toHaveLength(isOfServer ? 1 : 8);
});
