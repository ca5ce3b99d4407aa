import { expect, test } from '@jest/globals';
import { createBacklog, entryOf } from '../../src/pipeline/backlog.js';
import { formatCursor, startCursor } from '../../src/pipeline/cursor.js';
import type { CursorRow } from '../../src/pipeline/ports.js';

const row = (id: string, over: Partial<CursorRow> = {}): CursorRow => ({
  sink: 'logs',
  session: id,
  createdAt: 0n,
  done: false,
  cursor: formatCursor(startCursor),
  ...over,
});
const now = 1_000n;
const ids = (entries: ReturnType<ReturnType<typeof createBacklog>['due']>): readonly string[] =>
  entries.map(entry => entry.row.session);

test('rows of the store are due at once, with their cursors parsed', () => {
  const backlog = createBacklog([row('s1', { cursor: '0-3;Success=4;result' }), row('s2')]);
  expect(backlog.size(0n)).toBe(2);
  expect(backlog.get('s1')).toMatchObject({
    cursor: { taken: [[0, 3]], tally: { Success: 4 }, resultTaken: true },
    dueAt: 0n,
    unfinished: false,
  });
  expect(backlog.get('s2')?.cursor).toEqual(startCursor);
  expect(backlog.get('s3')).toBeUndefined();
  expect(ids(backlog.due(now))).toEqual(['s1', 's2']);
});

test('due entries come oldest session first, and in a fixed order among equals', () => {
  const rows = [row('c', { createdAt: 2n }), row('b', { createdAt: 1n }), row('a', { createdAt: 2n })];
  expect(ids(createBacklog(rows).due(now))).toEqual(['b', 'a', 'c']);
  expect(ids(createBacklog(rows.toReversed()).due(now))).toEqual(['b', 'a', 'c']);
});

test('an entry is due from its time on', () => {
  const backlog = createBacklog([]);
  backlog.put({ ...entryOf(row('s1')), dueAt: 50n });
  expect(ids(backlog.due(49n))).toEqual([]);
  expect(ids(backlog.due(50n))).toEqual(['s1']);
});

test('a waiting entry is due once it is woken; one with a time keeps it', () => {
  const backlog = createBacklog([]);
  backlog.put({ ...entryOf(row('idle')), dueAt: undefined, unfinished: true });
  backlog.put({ ...entryOf(row('later')), dueAt: now + 1n });
  expect(ids(backlog.due(now))).toEqual([]);
  backlog.wake();
  expect(ids(backlog.due(now))).toEqual(['idle']);
  expect(backlog.get('idle')?.unfinished).toBe(true);
});

test('an entry that is done leaves, and one that changes is replaced', () => {
  const backlog = createBacklog([row('s1'), row('s2')]);
  backlog.put(entryOf(row('s1', { done: true })));
  backlog.put(entryOf(row('s2', { cursor: '0;;' })));
  backlog.put(entryOf(row('s3', { done: true })));
  expect(ids(backlog.due(now))).toEqual(['s2']);
  expect(backlog.get('s2')?.row.cursor).toBe('0;;');
});

test('a requeued entry is due at once, whatever it waited for', () => {
  const backlog = createBacklog([]);
  const idle = entryOf({ sink: 'metrics', session: 'a', createdAt: 1n, done: false, cursor: ';;' });
  for (const dueAt of [undefined, 99n]) {
    backlog.put({ ...idle, dueAt });
    backlog.requeue('a', 5n);
    expect(backlog.due(5n)).toHaveLength(1);
  }
  backlog.requeue('unknown', 5n);
  expect(backlog.size(5n)).toBe(1);
});

test('an entry that is requeued while it is read is due once more, and only once', () => {
  const backlog = createBacklog([]);
  const read = { ...entryOf({ sink: 'metrics', session: 'a', createdAt: 1n, done: false, cursor: ';;' }) };
  backlog.put(read);
  expect(backlog.due(5n)).toHaveLength(1);
  backlog.requeue('a', 5n);
  backlog.put({ ...read, dueAt: undefined });
  expect(backlog.due(5n)).toHaveLength(1);
  backlog.startReading('a');
  backlog.put({ ...read, dueAt: undefined });
  expect(backlog.due(5n)).toEqual([]);
});

test('Nothing lost: an entry that is requeued during its last reading is read once more before it is done', () => {
  const backlog = createBacklog([row('a')]);
  backlog.startReading('a');
  backlog.requeue('a', 5n);
  backlog.put(entryOf(row('a', { cursor: '0;;' })));
  backlog.put(entryOf(row('a', { cursor: '0-1;;result', done: true })));
  expect(backlog.due(5n)).toMatchObject([{ row: { done: false, cursor: '0-1;;result' } }]);
  backlog.startReading('a');
  backlog.put(entryOf(row('a', { cursor: '0-1;;result', done: true })));
  expect(backlog.get('a')).toBeUndefined();
});

test('the size counts due entries, including those that back off, but not those that wait', () => {
  const backlog = createBacklog([row('resting'), row('due')]);
  backlog.put({ ...entryOf(row('open')), dueAt: undefined });
  backlog.put({ ...entryOf(row('later')), dueAt: now + 1n });
  backlog.backOff('resting', now, () => 0);
  expect(ids(backlog.due(now))).toEqual(['due']);
  expect(backlog.size(now)).toBe(2);
  expect(backlog.size(now + 1n)).toBe(3);
});

const isReading = (session: string): boolean => session < 's5';

test('sessions that could not be read come last, a few at a time, and not while they are read', () => {
  const backlog = createBacklog(Array.from({ length: 9 }, (_, n) => row(`s${String(n)}`, { createdAt: BigInt(n) })));
  for (let n = 0; n < 8; n += 1) backlog.backOff(`s${String(n)}`, now, () => 0);
  expect(ids(backlog.due(now))).toEqual(['s8']);
  const later = now + 1_000_000_000n;
  expect(ids(backlog.due(later))).toEqual(['s8', 's0', 's1', 's2', 's3']);
  expect(ids(backlog.due(later, isReading))).toEqual(['s8', 's5', 's6', 's7']);
  expect(backlog.nextRetryMs(later, isReading)).toBe(0);
  expect(backlog.nextRetryMs(later, () => true)).toBeUndefined();
});

test('sessions that failed and do not answer leave room for the others', () => {
  const backlog = createBacklog(Array.from({ length: 30 }, (_, n) => row(`s${String(n)}`, { createdAt: BigInt(n) })));
  for (let n = 0; n < 29; n += 1) backlog.backOff(`s${String(n)}`, now + BigInt(29 - n), () => 0);
  const later = now + 2_000_000_000n;
  const reading = new Set<string>();
  const isOpen = (session: string): boolean => reading.has(session);
  for (let n = 0; n < 9; n += 1) for (const id of ids(backlog.due(later, isOpen))) if (id !== 's29') reading.add(id);
  expect([reading.size, reading.has('s28'), reading.has('s0')]).toEqual([14, true, false]);
  expect([ids(backlog.due(later, isOpen)), backlog.nextRetryMs(later, isOpen)]).toEqual([['s29'], undefined]);
});
