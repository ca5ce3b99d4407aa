import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import * as fc from 'fast-check';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { SeriesDelta, StateChange, Store } from '../../src/pipeline/ports.js';
import { memoryStore } from '../support/memory-store.js';
import { openFile, openForCommits } from '../../src/store/open.js';
import { sqliteStore } from '../../src/store/sqlite.js';
import { readableSqliteStore } from '../support/dead-letters.js';
import { kill, linesOf, storeChild } from '../support/store-child.js';
import { contentsOf, counter, row, storeConformance } from './conformance.js';

let root: string;
let files = 0;
let path: string;
const fresh = (): string => join(root, String((files += 1)), 'state.db');
const modeOf = (file: string): string => (statSync(file).mode & 0o777).toString(8);

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'store-'));
});
afterAll(() => {
  rmSync(root, { recursive: true });
});
beforeEach(() => {
  path = fresh();
});

describe('the store in a file', () => {
  storeConformance(async () => readableSqliteStore(fresh()));
});

const servers = ['hq', 'branch'];
const sessions = ['s1', 's2', 's3'];
const instant = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });
const label = fc.constantFrom('', 'a', '"', 'é');
const deltas = fc.oneof(
  fc.record({ kind: fc.constant('counter'), by: fc.nat() }),
  fc.record({ kind: fc.constant('latest'), at: instant }),
  fc.record({
    kind: fc.constant('histogram'),
    counts: fc.array(fc.nat(), { minLength: 1, maxLength: 3 }),
    sumTicks: fc.bigInt({ min: 0n, max: 2n ** 70n }),
  }),
);
/** Two families, so that some deltas meet a series of another kind and the commit fails. */
const delta: fc.Arbitrary<SeriesDelta> = fc
  .tuple(fc.constantFrom('counter', 'latest', 'histogram', 'f'), label, deltas)
  .map(([family, value, rest]) => ({ family: family === 'f' ? 'f' : rest.kind, labels: [value], ...rest }));
const change: fc.Arbitrary<StateChange> = fc.record(
  {
    server: fc.constantFrom(...servers),
    since: fc.record({ metrics: instant, logs: instant }, { requiredKeys: [] }),
    rows: fc.array(
      fc.record({
        sink: fc.constantFrom('metrics', 'logs'),
        session: fc.constantFrom(...sessions),
        createdAt: instant,
        done: fc.boolean(),
        cursor: fc.string({ unit: fc.constantFrom('a', ';', "'", 'é', '✓', '🙂') }),
      }),
    ),
    deltas: fc.array(delta, { maxLength: 5 }),
    deadLetters: fc.array(
      fc.record({
        sink: fc.constantFrom('metrics', 'logs'),
        session: fc.constantFrom(...sessions),
        event: fc.constantFrom('', 'e1', 'e2'),
        reason: fc.constantFrom('refused', 'too_large'),
        at: instant,
      }),
      { maxLength: 4 },
    ),
    moves: fc.array(fc.record({ from: fc.constantFrom(...servers), to: fc.constantFrom(...servers) }), {
      maxLength: 2,
    }),
  },
  { requiredKeys: ['server'] },
);

async function sameAnswers(changes: readonly StateChange[]): Promise<void> {
  const file = fresh();
  const [memory, disk] = [memoryStore(), await readableSqliteStore(file)];
  for (const one of changes) {
    const [first, second] = await Promise.allSettled([memory.commit(one), disk.commit(one)]);
    expect(second.status).toBe(first.status);
  }
  const expected = await contentsOf(memory, servers, sessions);
  expect(await contentsOf(disk, servers, sessions)).toEqual(expected);
  await disk.close();
  const again = await readableSqliteStore(file);
  expect(await contentsOf(again, servers, sessions)).toEqual(expected);
  await again.close();
}

test('the same changes have the same result in memory, in a file, and in the file opened again', async () => {
  await fc.assert(fc.asyncProperty(fc.array(change, { maxLength: 8 }), sameAnswers), { numRuns: 30 });
});

describe('the state file', () => {
  test('is synced to the disk by each commit', () => {
    const created = openForCommits(path, () => undefined);
    expect(created.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(created.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: full });
    created.close();
    const opened = openFile(path);
    expect(opened.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: full });
    opened.close();
  });
  test('is created with its directory, and only its owner can read it and its log', async () => {
    path = join(root, 'deep', 'er', 'state.db');
    const store = await sqliteStore({ path });
    await store.commit({ server: 'hq', rows: [row()] });
    expect([modeOf(path), modeOf(`${path}-wal`)]).toEqual(['600', '600']);
    expect(modeOf(join(root, 'deep', 'er'))).toBe('700');
    await store.close();
  });
  test('that others could read is made private', async () => {
    await (await sqliteStore({ path })).close();
    chmodSync(path, 0o644);
    const store = await sqliteStore({ path });
    await store.commit({ server: 'hq', rows: [row()] });
    expect([modeOf(path), modeOf(`${path}-wal`)]).toEqual(['600', '600']);
    await store.close();
  });
  test('can be closed twice, and every operation fails after that', async () => {
    const store = await sqliteStore({ path });
    await store.close();
    await store.close();
    await expect(store.series()).rejects.toMatchObject({ reason: 'store' });
  });
  test('limits the instants of a wrong clock to the range of its columns', async () => {
    const store = await sqliteStore({ path });
    const wild = 10n ** 30n;
    const rows = [row({ createdAt: wild }), row({ session: 's2', createdAt: -wild })];
    await store.commit({ server: 'hq', since: { metrics: wild, logs: -wild }, rows });
    const kept = (await store.rows('hq', ['s1', 's2'])).map(({ createdAt }) => createdAt);
    expect(kept).toEqual([2n ** 63n - 1n, -(2n ** 63n) + 1n]);
    expect(await store.state('hq')).toEqual({ since: { metrics: 2n ** 63n - 1n, logs: -(2n ** 63n) + 1n }, facts: {} });
    await store.close();
  });
});

/** `PRAGMA synchronous` syncs the write-ahead log at each commit. Source: sqlite.org/pragma.html#pragma_synchronous. */
const full = 2n;

const refused = async (message: string): Promise<void> => {
  const before = readFileSync(path);
  const mode = modeOf(path);
  await expect(sqliteStore({ path })).rejects.toMatchObject({
    reason: 'store',
    message: expect.stringContaining(message),
  });
  expect(readFileSync(path).equals(before)).toBe(true);
  expect(modeOf(path)).toBe(mode);
};

const foreign = (sql: string): void => {
  mkdirSync(join(path, '..'));
  const database = new DatabaseSync(path);
  database.exec(sql);
  database.close();
  chmodSync(path, 0o644);
};

describe('a state file is refused and not changed', () => {
  test('when a newer version wrote it', async () => {
    await (await sqliteStore({ path })).close();
    const database = new DatabaseSync(path);
    database.exec('PRAGMA user_version = 7');
    database.close();
    await refused('its schema version is 7, this program supports up to 3');
  });
  test('when it is a database of another program', async () => {
    foreign('CREATE TABLE theirs (a)');
    await refused('it is a database of another program');
  });
  test('when it is not a database', async () => {
    mkdirSync(join(path, '..'));
    writeFileSync(path, 'garbage '.repeat(1_000), { mode: 0o644 });
    await refused('it is not a state file, or it is damaged');
  });
  test('when it is a directory', async () => {
    mkdirSync(path, { recursive: true, mode: 0o755 });
    await expect(sqliteStore({ path })).rejects.toMatchObject({ reason: 'store' });
    expect(modeOf(path)).toBe('755');
  });
});

describe('a failed operation', () => {
  test.each<[keyof Store, (store: Store) => Promise<unknown>]>([
    ['state', async store => store.state('hq')],
    ['rows', async store => store.rows('hq', [])],
    ['pending', async store => store.pending('hq', 'logs')],
    ['holders', async store => store.holders('i')],
    ['series', async store => store.series()],
    ['commit', async store => store.commit({ server: 'hq', rows: [row()] })],
  ])('"%s" is reported once, a successful one is not', async (operation, act) => {
    const failed = jest.fn();
    const store = await sqliteStore({ path, failed });
    await act(store);
    expect(failed).not.toHaveBeenCalled();
    rmSync(path);
    await expect(act(store)).rejects.toMatchObject({ reason: 'store' });
    expect(failed.mock.calls).toEqual([[operation]]);
    await store.close();
  });
});

describe('two processes', () => {
  test('do not share a state file: the second fails', async () => {
    const store = await sqliteStore({ path });
    const child = storeChild(path, "say('opened'); await store.close();");
    expect(await linesOf(child, () => false)).toEqual([
      `Could not open state file "${path}": it is in use by another process`,
    ]);
    await store.close();
  });
  test('one that is killed loses none of its commits', async () => {
    const child = storeChild(
      path,
      `for (let n = 0; n < 1e6; n += 1) {
        const row = { sink: 'logs', session: 's' + n, createdAt: 0n, done: false, cursor: '' };
        await store.commit({ server: 'hq', rows: [row], deltas: [${JSON.stringify(counter(1))}] });
        say(String(n + 1));
      }`,
    );
    const said = await linesOf(child, line => Number(line) >= 20);
    await kill(child);
    const store = await sqliteStore({ path });
    const rows = await store.pending('hq', 'logs');
    expect(rows.length).toBeGreaterThanOrEqual(said.length);
    expect(await store.series()).toMatchObject([{ value: BigInt(rows.length) }]);
    await store.close();
  });
});
