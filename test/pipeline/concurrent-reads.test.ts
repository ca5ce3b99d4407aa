import { expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { type BacklogEntry, entryOf } from '../../src/pipeline/backlog.js';
import type { SessionPart } from '../../src/pipeline/batch-builder.js';
import { type ReadOutcome, ConcurrentReads } from '../../src/pipeline/concurrent-reads.js';
import { fakeClock, settle } from '../support/fake-clock.js';

const quit = new AbortController().signal;
const entry = (session: string) => entryOf({ sink: 'metrics', session, createdAt: 0n, done: false, cursor: ';;' });
const entries = (count: number) => Array.from({ length: count }, (_, index) => entry(`s${String(index)}`));
const serverError = new ExporterError('server', 'Could not read restore events: HTTP 500');

/** Reads of one part each, over a server that answers a session at once, or as `answers` says. */
function readsOver(answers: Readonly<Record<string, Promise<unknown>>>, lateAfterMs = 50) {
  const clock = fakeClock();
  const began: string[] = [];
  const woken: number[] = [];
  const finished = new Set<string>();
  const released: string[] = [];
  const reads = new ConcurrentReads({
    clock,
    lateAfterMs,
    isPending: session => !finished.has(session),
    wakeUp: { notify: () => void woken.push(clock.now()) },
  });
  const aborted: string[] = [];
  const read = async function* read(one: BacklogEntry, signal: AbortSignal): AsyncGenerator<SessionPart> {
    signal.addEventListener('abort', () => aborted.push(one.row.session));
    began.push(one.row.session);
    try {
      await answers[one.row.session];
      yield { entry: one, changed: true, session: undefined };
    } finally {
      released.push(one.row.session);
    }
  };
  const collect = async (due = entries(8)): Promise<readonly string[]> => {
    const names: string[] = [];
    for await (const outcome of reads.outcomes(due, read, quit)) names.push(nameOf(outcome));
    return names;
  };
  return { clock, reads, read, began, woken, finished, released, aborted, collect };
}

const nameOf = (outcome: ReadOutcome): string =>
  'error' in outcome
    ? `${outcome.session} ${outcome.error.reason}${outcome.ofServer ? ' of the server' : ''}`
    : outcome.entry.row.session;

const rejected = (failure: ExporterError): Promise<unknown> => {
  const { promise, reject } = Promise.withResolvers<unknown>();
  void Promise.allSettled([promise]);
  reject(failure);
  return promise;
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

test('a session that does not answer delays the others for a moment, is named after 10 s, and wakes the sink when it answers', async () => {
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

test('what has been read is delivered before a late session is waited for and others are begun', async () => {
  const hanging = Promise.withResolvers<undefined>();
  const { woken, collect } = readsOver({ s4: hanging.promise });
  expect(await collect(entries(12))).toEqual(['s0', 's1', 's2', 's3']);
  expect(woken).toHaveLength(1);
  expect(await collect(entries(12).slice(4))).toEqual(['s5', 's6', 's7', 's8', 's9', 's10', 's11']);
});

test('sessions that do not answer make room for others when all reads are open', async () => {
  const hanging = Promise.withResolvers<undefined>();
  const silent = Object.fromEntries(entries(29).map(({ row }) => [row.session, hanging.promise]));
  const fast = readsOver({ ...silent, s0: Promise.resolve() }, 5);
  expect(await fast.collect(entries(31))).toEqual(['s0']);
  expect(await fast.collect(entries(31).slice(1))).toEqual([]);
  await fast.clock.advance(9_999);
  expect(await fast.collect(entries(31).slice(29))).toEqual([]);
  await fast.clock.advance(1);
  const names = await fast.collect(entries(31).slice(29));
  expect(names).toEqual(['s1 timeout', 's2 timeout', 's3 timeout', 's4 timeout', 's29', 's30']);
  expect(fast.aborted).toEqual(['s1', 's2', 's3', 's4']);
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

test('the late answer of a read that a failed delivery dropped wakes no sink', async () => {
  const hanging = Promise.withResolvers<undefined>();
  const { reads, woken } = readsOver({});
  const readTwoParts = async function* readTwoParts(one: BacklogEntry): AsyncGenerator<SessionPart> {
    yield { entry: one, changed: true, session: undefined };
    await hanging.promise;
    yield { entry: one, changed: true, session: undefined };
  };
  const names: string[] = [];
  for await (const outcome of reads.outcomes(entries(1), readTwoParts, quit)) names.push(nameOf(outcome));
  expect(names).toEqual(['s0']);
  reads.endDelivery(false);
  hanging.resolve(undefined);
  await settle();
  expect(woken).toEqual([]);
});

const failing = (count: number) =>
  Object.fromEntries(entries(count).map(({ row }) => [row.session, rejected(serverError)]));

test.each([8, 30, 60])('%i sessions that fail do not delay the others', async broken => {
  const { collect } = readsOver(failing(broken));
  const names = await collect(entries(broken + 2));
  expect(names.filter(name => name.includes('of the server'))).toEqual([]);
  expect(names.slice(-2)).toEqual([`s${String(broken)}`, `s${String(broken + 1)}`]);
});

test('a hundred different sessions that fail, while none can be read, are a failure of the server', async () => {
  const { began, collect } = readsOver(failing(120));
  expect((await collect(entries(120))).at(-1)).toBe('s99 server of the server');
  expect((await collect(entries(120).slice(110))).length).toBe(1);
  expect(await collect([entry('healthy')])).toEqual(['healthy']);
  expect(began.filter(session => session === 's112')).toHaveLength(1);
  const again = await collect(entries(60));
  expect(again.filter(name => name.includes('of the server'))).toEqual([]);
});

test('sessions that are done or gone are no failures of the server', async () => {
  const { finished, collect } = readsOver(failing(120));
  await collect(entries(99));
  for (const { row } of entries(99)) finished.add(row.session);
  const names = await collect(entries(120).slice(99));
  expect(names).toHaveLength(21);
  expect(names.filter(name => name.includes('of the server'))).toEqual([]);
});

test('what is not read to its end after a failed delivery is released', async () => {
  const { reads, read, released, collect } = readsOver({});
  const { value } = await reads.outcomes(entries(1), read, quit).next();
  expect(value).toMatchObject({ changed: true });
  reads.endDelivery(false);
  await settle();
  expect(released).toEqual(['s0']);
  expect(await collect(entries(1))).toEqual(['s0']);
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
