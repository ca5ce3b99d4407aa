import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { CursorRow, DeadLetter, Series, SeriesDelta, StateChange } from '../../src/pipeline/ports.js';
import { seriesKey } from '../../src/pipeline/series.js';
import type { ReadableStore } from '../support/memory-store.js';

export const row = (over: Partial<CursorRow> = {}): CursorRow => ({
  sink: 'metrics',
  session: 's1',
  createdAt: 1_500_000_000_123_456_700n,
  done: false,
  cursor: '0-3;Success=4;',
  ...over,
});

const letter = (over: Partial<DeadLetter> = {}): DeadLetter => ({
  sink: 'logs',
  session: 's1',
  event: 'e1',
  reason: 'refused',
  at: 1_700_000_000_123_456_789n,
  ...over,
});

const name = { family: 'f_total', labels: ['contoso', 'a "b", \\ \n c'] } as const;
export const counter = (by: number): Extract<SeriesDelta, { kind: 'counter' }> => ({ ...name, kind: 'counter', by });
const latest = (at: bigint): SeriesDelta => ({ ...name, kind: 'latest', at });
const histogram = (counts: readonly number[], sumTicks: bigint): SeriesDelta => ({
  ...name,
  kind: 'histogram',
  counts,
  sumTicks,
});

/** Everything in a store about these servers and sessions, sorted, because the port promises no order. */
export async function contentsOf(
  store: ReadableStore,
  servers: readonly string[],
  sessions: readonly string[],
): Promise<unknown> {
  const ofServers = servers.map(async server => ({
    state: await store.state(server),
    rows: sorted(await store.rows(server, sessions), rowKey),
    metrics: sorted(await store.pending(server, 'metrics'), rowKey),
    logs: sorted(await store.pending(server, 'logs'), rowKey),
    deadLetters: sorted(await store.deadLetters(server), letterKey),
  }));
  return { servers: await Promise.all(ofServers), series: sorted(await store.series(), seriesKey) };
}

const rowKey = ({ sink, session }: CursorRow): string => `${session} ${sink}`;

const letterKey = ({ sink, session, event }: DeadLetter): string => JSON.stringify([sink, session, event]);

const sorted = <T>(list: readonly T[], key: (one: T) => string): readonly T[] =>
  list.toSorted((a, b) => (key(a) < key(b) ? -1 : 1));

/** The contract of the port; `make` returns an empty store. */
export function storeConformance(make: () => Promise<ReadableStore>): void {
  let store: ReadableStore;
  const commit = async (change: Partial<StateChange>): Promise<void> => store.commit({ server: 'hq', ...change });
  const everything = async (): Promise<unknown> => contentsOf(store, ['hq', 'branch'], ['s1', 's2', 's3']);
  beforeEach(async () => {
    store = await make();
  });
  afterEach(async () => store.close());

  describe('state', () => {
    test('of an unknown server is empty', async () => {
      expect(await store.state('hq')).toEqual({ since: {}, facts: {} });
    });
    test('holds when each sink began, to the nanosecond', async () => {
      await commit({ since: { metrics: 1_700_000_000_123_456_789n, logs: 5n } });
      expect(await store.state('hq')).toEqual({ since: { metrics: 1_700_000_000_123_456_789n, logs: 5n }, facts: {} });
    });
    test('holds facts about the server, and keeps those that a change leaves out', async () => {
      await commit({ facts: { installationId: 'a', apiVersion: 'v8' } });
      await commit({ facts: { changeToken: 't', installationId: 'b' } });
      await store.commit({ server: 'branch', facts: { apiVersion: 'v6' } });
      expect(await store.state('hq')).toEqual({
        since: {},
        facts: { installationId: 'b', apiVersion: 'v8', changeToken: 't' },
      });
    });
    test('of a sink that a change leaves out does not change', async () => {
      await commit({ since: { metrics: 1n } });
      await commit({ since: { logs: 2n } });
      await commit({ rows: [row()] });
      expect(await store.state('hq')).toEqual({ since: { metrics: 1n, logs: 2n }, facts: {} });
    });
  });

  describe('rows', () => {
    test('of the given sessions are returned for every sink', async () => {
      const rows = [row(), row({ sink: 'logs', done: true }), row({ session: 's2' })];
      await commit({ rows });
      expect(sorted(await store.rows('hq', ['s1', 'nobody']), rowKey)).toEqual([rows[1], rows[0]]);
      expect(await store.rows('hq', [])).toEqual([]);
    });
    test('replace earlier ones', async () => {
      await commit({ rows: [row()] });
      await commit({ rows: [row({ done: true, cursor: '0-9;;result' })] });
      expect(await store.rows('hq', ['s1'])).toEqual([row({ done: true, cursor: '0-9;;result' })]);
    });
    test('are found by thousands of ids at once', async () => {
      const rows = Array.from({ length: 5_000 }, (_, n) => row({ session: `s${String(n)}` }));
      await commit({ rows });
      const ids = rows.map(({ session }) => session);
      expect(await store.rows('hq', [...ids, ...ids])).toHaveLength(5_000);
    });
    test('are pending for their sink until they are done', async () => {
      await commit({ rows: [row(), row({ session: 's2', done: true }), row({ session: 's3', sink: 'logs' })] });
      expect(await store.pending('hq', 'metrics')).toEqual([row()]);
      await commit({ rows: [row({ done: true })] });
      expect(await store.pending('hq', 'metrics')).toEqual([]);
      expect(await store.pending('hq', 'logs')).toHaveLength(1);
    });
    test('of one server are not those of another', async () => {
      await commit({ rows: [row()], since: { metrics: 1n } });
      await commit({ server: 'branch', rows: [row({ cursor: 'other' })], since: { metrics: 2n } });
      expect(await store.rows('hq', ['s1'])).toEqual([row()]);
      expect(await store.pending('branch', 'metrics')).toEqual([row({ cursor: 'other' })]);
      expect(await store.state('hq')).toEqual({ since: { metrics: 1n }, facts: {} });
    });
  });

  describe('dead letters', () => {
    test('are stored to the nanosecond, for each server', async () => {
      const deadLetters = [
        letter(),
        letter({ event: '', reason: 'too_large' }),
        letter({ sink: 'traces', session: 's2' }),
      ];
      await commit({ deadLetters });
      await store.commit({ server: 'branch', deadLetters: [letter({ event: 'e2' })] });
      expect(sorted(await store.deadLetters('hq'), letterKey)).toEqual(sorted(deadLetters, letterKey));
      expect(await store.deadLetters('branch')).toEqual([letter({ event: 'e2' })]);
      expect(await store.deadLetters('nobody')).toEqual([]);
    });
    test('are one for each sink, session and event: the last one counts', async () => {
      await commit({ deadLetters: [letter(), letter({ at: 1n })] });
      await commit({ deadLetters: [letter({ reason: 'too_large', at: 2n })] });
      expect(await store.deadLetters('hq')).toEqual([letter({ reason: 'too_large', at: 2n })]);
    });
    test('follow a move, replace those with the same key, and leave the others', async () => {
      await commit({ deadLetters: [letter(), letter({ event: 'e2' })] });
      const there = [letter({ at: 1n }), letter({ event: 'e3' }), letter({ sink: 'traces' })];
      await store.commit({ server: 'branch', deadLetters: there });
      await store.commit({ server: 'lab', deadLetters: [letter()] });
      await commit({ moves: [{ from: 'hq', to: 'branch' }], deadLetters: [letter({ event: 'new' })] });
      const moved = [letter(), letter({ event: 'e2' }), letter({ event: 'e3' }), letter({ sink: 'traces' })];
      expect(sorted(await store.deadLetters('branch'), letterKey)).toEqual(moved);
      expect(await store.deadLetters('hq')).toEqual([letter({ event: 'new' })]);
      expect(await store.deadLetters('lab')).toEqual([letter()]);
    });
    test('are stored with the rest of their change, or not at all', async () => {
      await commit({ deltas: [counter(1)] });
      await expect(commit({ deadLetters: [letter()], deltas: [latest(1n)] })).rejects.toMatchObject({
        reason: 'store',
      });
      expect(await store.deadLetters('hq')).toEqual([]);
    });
  });

  describe('holders', () => {
    test('are the names of an installation', async () => {
      await commit({ facts: { installationId: 'a' } });
      await store.commit({ server: 'branch', facts: { installationId: 'b', apiVersion: 'a' } });
      await store.commit({ server: 'lab', facts: { installationId: 'a' } });
      expect((await store.holders('a')).toSorted()).toEqual(['hq', 'lab']);
      expect(await store.holders('c')).toEqual([]);
    });
  });

  describe('a move', () => {
    const kept: Omit<StateChange, 'server'> = {
      since: { metrics: 1n },
      facts: { installationId: 'a' },
      rows: [row(), row({ sink: 'logs' })],
    };
    test('renames everything stored under a name, before the rest of the change', async () => {
      await commit({ ...kept, deltas: [counter(1)] });
      const moves = [{ from: 'hq', to: 'archive' }];
      await commit({ moves, facts: { installationId: 'b' }, rows: [row({ cursor: 'new' })], deltas: [counter(1)] });
      expect(await store.state('archive')).toEqual({ since: { metrics: 1n }, facts: { installationId: 'a' } });
      expect(sorted(await store.rows('archive', ['s1']), rowKey)).toEqual([row({ sink: 'logs' }), row()]);
      expect(await store.state('hq')).toEqual({ since: {}, facts: { installationId: 'b' } });
      expect(await store.rows('hq', ['s1'])).toEqual([row({ cursor: 'new' })]);
      expect(await store.series()).toEqual([{ ...name, kind: 'counter', value: 2n }]);
    });
    test('applies after the one before it, replaces rows with the same key, and leaves the others', async () => {
      await commit(kept);
      await commit({ server: 'branch', rows: [row({ cursor: 'old' }), row({ session: 's2' })], since: { logs: 2n } });
      await commit({
        moves: [
          { from: 'hq', to: 'x' },
          { from: 'x', to: 'branch' },
        ],
      });
      const rows = await store.rows('branch', ['s1', 's2']);
      expect(sorted(rows, rowKey)).toEqual([row({ sink: 'logs' }), row(), row({ session: 's2' })]);
      expect(await store.state('branch')).toEqual({
        since: { metrics: 1n, logs: 2n },
        facts: { installationId: 'a' },
      });
      expect(await store.state('x')).toEqual({ since: {}, facts: {} });
      expect(await store.pending('hq', 'logs')).toEqual([]);
    });
  });

  describe('series', () => {
    const max = Number.MAX_SAFE_INTEGER;
    test.each<[string, readonly SeriesDelta[], Series]>([
      ['a counter starts at 0', [counter(0)], { ...name, kind: 'counter', value: 0n }],
      ['a counter adds', [counter(2), counter(3)], { ...name, kind: 'counter', value: 5n }],
      [
        'a counter stays exact above 2^53',
        [counter(max), counter(max), counter(1)],
        { ...name, kind: 'counter', value: 2n * BigInt(max) + 1n },
      ],
      [
        'a counter holds back a part, and adds to that',
        [{ ...counter(2), held: 2 }, counter(1), { ...counter(3), held: 3 }],
        { ...name, kind: 'counter', value: 6n, held: 5n },
      ],
      [
        'a counter releases held increments',
        [
          { ...counter(2), held: 2 },
          { ...counter(3), held: 3 },
          { ...counter(0), held: -2 },
        ],
        { ...name, kind: 'counter', value: 5n, held: 3n },
      ],
      [
        'a counter that released everything equals one that held nothing',
        [
          { ...counter(2), held: 2 },
          { ...counter(0), held: -2 },
        ],
        { ...name, kind: 'counter', value: 2n },
      ],
      ['latest keeps the newest', [latest(5n), latest(9n), latest(7n)], { ...name, kind: 'latest', at: 9n }],
      ['latest may lie before 1970', [latest(-9n), latest(-5n)], { ...name, kind: 'latest', at: -5n }],
      [
        'a histogram adds bucket by bucket',
        [histogram([1, 0, 2], 30n), histogram([0, 4, 1], 12n)],
        { ...name, kind: 'histogram', counts: [1n, 4n, 3n], sumTicks: 42n },
      ],
      [
        'a histogram stays exact above 2^53',
        [histogram([max], 2n ** 70n), histogram([max], 1n)],
        { ...name, kind: 'histogram', counts: [2n * BigInt(max)], sumTicks: 2n ** 70n + 1n },
      ],
      [
        'a histogram with another number of buckets starts over',
        [histogram([1, 2, 3], 9n), histogram([4, 5], 7n)],
        { ...name, kind: 'histogram', counts: [4n, 5n], sumTicks: 7n },
      ],
    ])('%s, in one commit or in several', async (_, deltas, expected) => {
      await commit({ deltas });
      expect(await store.series()).toEqual([expected]);
      const other = await make();
      for (const delta of deltas) await other.commit({ server: 'hq', deltas: [delta] });
      expect(await other.series()).toEqual([expected]);
      await other.close();
    });
    test('are distinguished by family and by every label', async () => {
      const labels = [[], [''], ['', ''], ['a,b'], ['a', 'b'], ['a"'], ['é'], ['É']];
      await commit({ deltas: labels.map(list => ({ family: 'f', labels: list, kind: 'counter', by: 1 })) });
      await commit({ deltas: [{ family: 'f2', labels: [], kind: 'counter', by: 1 }] });
      expect(await store.series()).toHaveLength(labels.length + 1);
    });
    test('add up over all servers', async () => {
      await commit({ deltas: [counter(1)] });
      await commit({ server: 'branch', deltas: [counter(1)] });
      expect(await store.series()).toEqual([{ ...name, kind: 'counter', value: 2n }]);
    });
  });

  describe('a commit', () => {
    test('without changes changes nothing', async () => {
      await commit({ since: { metrics: 1n }, rows: [row()], deltas: [counter(1)] });
      const before = await everything();
      await commit({});
      await commit({ since: {}, rows: [], deltas: [] });
      expect(await everything()).toEqual(before);
    });
    test('that fails at its last delta changes nothing, and the next one succeeds', async () => {
      await commit({ deltas: [counter(1)] });
      const before = await everything();
      const first: SeriesDelta = { family: 'g_total', labels: [], kind: 'counter', by: 1 };
      const bad = { since: { metrics: 7n }, rows: [row()], deltas: [first, counter(1), latest(1n)] };
      await expect(commit(bad)).rejects.toMatchObject({ name: 'ExporterError', reason: 'store' });
      expect(await everything()).toEqual(before);
      await commit({ deltas: [counter(1)] });
      expect(await store.series()).toEqual([{ ...name, kind: 'counter', value: 2n }]);
    });
  });
}
