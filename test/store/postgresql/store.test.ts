import { afterAll, beforeAll, beforeEach, describe, expect, jest, test } from '@jest/globals';
import { createHash } from 'node:crypto';
import type { Store } from '../../../src/pipeline/ports.js';
import { type Pool, Transactions } from '../../../src/store/postgresql/pool.js';
import { migrations, schemaVersion } from '../../../src/store/postgresql/schema.js';
import { postgresqlStore } from '../../../src/store/postgresql/store.js';
import { pglite } from '../../support/pglite.js';
import { leasedStore, options, readablePostgresqlStore } from '../../support/postgresql-store.js';
import { counter, row, storeConformance } from '../conformance.js';

let database: Awaited<ReturnType<typeof pglite>>;
const run = async (sql: string): Promise<unknown> => database.database.exec(sql);

beforeAll(async () => {
  database = await pglite();
});
afterAll(async () => database.database.close());
const clear = async (): Promise<unknown> => run('DROP SCHEMA IF EXISTS vb365_exporter CASCADE');
beforeEach(clear);

describe('the store in PostgreSQL', () => {
  storeConformance(async () => {
    await clear();
    return readablePostgresqlStore(database.pool);
  });
});

describe('the tables', () => {
  test('of a version that has landed stay as they are', () => {
    const hashes = migrations.map(sql => createHash('sha256').update(sql).digest('hex').slice(0, 12));
    expect(hashes).toEqual(['4884f0c55fc6']);
  });
  test('are created once, and say so', async () => {
    const notice = jest.fn();
    await postgresqlStore(database.pool, { ...options, notice });
    expect(notice.mock.calls).toEqual([['Created the tables in PostgreSQL: nothing is known from before']]);
    await postgresqlStore(database.pool, { ...options, notice });
    expect(notice).toHaveBeenCalledTimes(1);
  });
  test('keep what was stored when they are opened again', async () => {
    const store = await leasedStore(database.pool);
    await store.commit({ server: 'hq', rows: [row()], deltas: [counter(2)] });
    const again = await leasedStore(database.pool, { replica: 'two' });
    expect(await again.series()).toMatchObject([{ value: 2n }]);
    expect(await again.pending('hq', 'metrics')).toEqual([row()]);
  });
  test('of a newer program are refused and not changed', async () => {
    await postgresqlStore(database.pool, options);
    await run('UPDATE vb365_exporter.schema_version SET version = 7');
    await expect(postgresqlStore(database.pool, options)).rejects.toMatchObject({
      reason: 'store',
      message: `Could not use the state in PostgreSQL: its schema version is 7, this program supports up to ${String(schemaVersion)}; run a newer version`,
    });
  });
  test('that a newer program migrates take nothing more from an older one', async () => {
    const store = await leasedStore(database.pool);
    await store.commit({ server: 'hq', deltas: [counter(1)] });
    await run('UPDATE vb365_exporter.schema_version SET version = 7');
    await expect(store.commit({ server: 'hq', deltas: [counter(1)] })).rejects.toMatchObject({ reason: 'store' });
    expect((await store.leases.renew(['hq'], false)).lost).toContain('hq');
    expect(await store.series()).toMatchObject([{ value: 1n }]);
  });
  test('are not left half made when a migration fails', async () => {
    await run('CREATE SCHEMA vb365_exporter; CREATE TABLE vb365_exporter.series (mine integer)');
    await expect(postgresqlStore(database.pool, options)).rejects.toMatchObject({ reason: 'store' });
    expect(await tables()).toEqual(['series']);
  });
  test('limit the instants of a wrong clock to the range of their columns', async () => {
    const store = await leasedStore(database.pool);
    const wild = 10n ** 30n;
    await store.commit({ server: 'hq', since: { metrics: wild, logs: -wild }, rows: [row({ createdAt: wild })] });
    expect(await store.state('hq')).toEqual({ since: { metrics: 2n ** 63n - 1n, logs: -(2n ** 63n) + 1n }, facts: {} });
  });
  test('take texts that PostgreSQL cannot hold', async () => {
    const store = await leasedStore(database.pool);
    await store.commit({
      server: 'hq',
      facts: { changeToken: 'a\0b\ud800' },
      deltas: [{ ...counter(1), labels: ['hq', 'a\0b', '\ud800', 'x'.repeat(9_000)] }],
    });
    expect(await store.state('hq')).toMatchObject({ facts: { changeToken: 'ab\ufffd' } });
    expect(await store.series()).toMatchObject([{ labels: ['hq', 'a\0b', '\ud800', 'x'.repeat(9_000)] }]);
  });
});

const tables = async (): Promise<unknown> => {
  const found = await database.database.query<{ name: string }>(
    "SELECT relname AS name FROM pg_class WHERE relnamespace = 'vb365_exporter'::regnamespace AND relkind = 'r'",
  );
  return found.rows.map(({ name }) => name);
};

const of = (server: string) => ({ ...counter(1), labels: [server, 'x'] });

describe('series', () => {
  test('are read by the servers of their first label', async () => {
    const store = await leasedStore(database.pool);
    await store.commit({ server: 'hq', deltas: [of('hq'), of('branch')] });
    expect(await store.series(['branch'])).toMatchObject([{ labels: ['branch', 'x'] }]);
    expect(await store.series([])).toEqual([]);
  });
});

/** A pool whose COMMIT fails `times`, after or before the database has done it. */
const losing = (pool: Pool, when: 'after' | 'before', times: number): Pool => {
  let left = times;
  return {
    ...pool,
    connect: async () => {
      const connection = await pool.connect();
      return {
        ...connection,
        query: async (sql, values) => {
          const isLost = sql === 'COMMIT' && left > 0;
          if (isLost) left -= 1;
          if (isLost && when === 'before') throw new Error('Connection terminated unexpectedly');
          const rows = await connection.query(sql, values);
          if (isLost) throw new Error('Connection terminated unexpectedly');
          return rows;
        },
      };
    },
  };
};

const started = async (when: 'after' | 'before', times: number) => {
  const first = await leasedStore(database.pool);
  await first.commit({ server: 'hq', deltas: [counter(1)] });
  await first.leases.leave();
  const sleeps: number[] = [];
  const clock = { monotonic: () => 0, sleep: async (ms: number) => void sleeps.push(ms) };
  // The leases are acquired before anything is lost.
  let pool: Pool = database.pool;
  const store = await postgresqlStore(
    { end: async () => undefined, connect: async () => pool.connect() },
    { ...options, clock },
  );
  await store.leases.acquire(['hq', 'contoso']);
  pool = losing(database.pool, when, times);
  return { store, sleeps };
};

describe('a commit whose answer is lost', () => {
  test('is not repeated when the database has it', async () => {
    const { store } = await started('after', 1);
    await store.commit({ server: 'hq', deltas: [counter(1)] });
    expect(await store.series()).toMatchObject([{ value: 2n }]);
  });
  test('fails when the database does not have it, so that the caller repeats it', async () => {
    const { store } = await started('before', 1);
    await expect(store.commit({ server: 'hq', deltas: [counter(1)] })).rejects.toMatchObject({
      reason: 'store',
      message: 'Could not write the state in PostgreSQL: the connection was lost',
    });
    expect(await store.series()).toMatchObject([{ value: 1n }]);
    await store.commit({ server: 'hq', deltas: [counter(1)] });
    expect(await store.series()).toMatchObject([{ value: 2n }]);
  });
  test('waits until the database answers again', async () => {
    const { store, sleeps } = await started('after', 4);
    await store.commit({ server: 'hq', deltas: [counter(1)] });
    expect(sleeps).toEqual([500, 500, 500]);
    expect(await store.series()).toMatchObject([{ value: 2n }]);
  });
});

/** A pool that notes what is sent. */
const noting = (pool: Pool, sent: string[]): Pool => ({
  ...pool,
  connect: async () => {
    const connection = await pool.connect();
    return { ...connection, query: async (sql, values) => (sent.push(sql), connection.query(sql, values)) };
  },
});

describe('an idle replica', () => {
  test('sends one statement for a renewal or a read, and none to read no rows', async () => {
    const sent: string[] = [];
    const store = await leasedStore(noting(database.pool, sent));
    await store.commit({ server: 'hq', rows: [row()] });
    sent.length = 0;
    expect((await store.leases.renew(['hq'], false)).lost).toEqual([]);
    expect(await store.rows('hq', ['s1'])).toEqual([row()]);
    expect(sent).toHaveLength(2);
    expect(await store.rows('hq', [])).toEqual([]);
    await store.commit({ server: 'hq', rows: [], deltas: [] });
    expect(sent).toHaveLength(2);
    await store.commit({ server: 'hq', facts: { changeToken: '7' } });
    expect(sent).toHaveLength(6);
  });
});

/** A pool of five connections that have nothing to do but to wait for `gate` in each read of rows. */
const crowded = (pool: Pool, gate: Promise<void>): Pool => {
  let free = 5;
  return {
    ...pool,
    connect: async () => {
      if (free === 0) throw new Error('timeout exceeded when trying to connect');
      free -= 1;
      return {
        query: async (sql, values) => {
          if (sql.includes('.session')) await gate;
          const connection = await pool.connect();
          return connection.query(sql, values).finally(() => connection.release(false));
        },
        release: () => void (free += 1),
      };
    },
  };
};

test('many reads at once do not keep a replica from renewing its leases', async () => {
  let pool = database.pool;
  const store = await leasedStore({ end: async () => undefined, connect: async () => pool.connect() });
  await store.commit({ server: 'hq', rows: [row()] });
  const { promise: gate, resolve } = Promise.withResolvers<void>();
  pool = crowded(database.pool, gate);
  const reads = Promise.all(Array.from({ length: 20 }, async () => store.pending('hq', 'metrics')));
  expect((await store.leases.renew(['hq'], false)).lost).toEqual([]);
  resolve();
  expect((await reads).flat()).toHaveLength(20);
});

describe('a failed operation', () => {
  test.each<[keyof Store, (store: Store) => Promise<unknown>]>([
    ['state', async store => store.state('hq')],
    ['rows', async store => store.rows('hq', ['s1'])],
    ['pending', async store => store.pending('hq', 'logs')],
    ['holders', async store => store.holders('i')],
    ['series', async store => store.series()],
    ['commit', async store => store.commit({ server: 'hq', rows: [row()] })],
  ])('"%s" is reported once, a successful one is not', async (operation, act) => {
    const failed = jest.fn();
    const store = await leasedStore(database.pool, { failed });
    await act(store);
    expect(failed).not.toHaveBeenCalled();
    await run('ALTER SCHEMA vb365_exporter RENAME TO gone');
    await expect(act(store)).rejects.toMatchObject({ reason: 'store' });
    expect(failed.mock.calls).toEqual([[operation]]);
    await run('DROP SCHEMA gone CASCADE');
  });
  test('leaves no connection checked out', async () => {
    const store = await leasedStore(database.pool);
    await store.commit({ server: 'hq', rows: [row()] });
    for (let n = 0; n < 20; n += 1)
      await expect(new Transactions(database.pool, 1_000).run(async query => query('SELECT nonsense'))).rejects.toThrow(
        'nonsense',
      );
    expect(await store.pending('hq', 'metrics')).toEqual([row()]);
  });
});
