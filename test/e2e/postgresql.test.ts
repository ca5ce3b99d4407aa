import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import { openPool } from '../../src/store/postgresql/connect.js';
import { Transactions } from '../../src/store/postgresql/pool.js';
import { type PostgresqlOptions, postgresqlStore, type PostgresqlStore } from '../../src/store/postgresql/store.js';
import { counter, storeConformance } from '../store/conformance.js';
import { chance } from '../support/chance.js';
import { readablePostgresqlStore } from '../support/postgresql-store.js';
import { eventually } from './support/running.js';
import { type Postgresql, startPgbouncer, startPostgresql, stateIn } from './support/postgresql.js';

const random = chance(1);
let database: Postgresql;
let pooler: Awaited<ReturnType<typeof startPgbouncer>>;

beforeAll(async () => {
  database = await startPostgresql();
  pooler = await startPgbouncer(database);
});
afterAll(async () => {
  await pooler.stop();
  await database.remove();
});

describe.each(['in a real PostgreSQL', 'behind PgBouncer in transaction mode'])('the store %s', where => {
  let name: string;
  beforeAll(async () => {
    name = await database.createDatabase();
  });
  storeConformance(async () => {
    await database.sql('DROP SCHEMA IF EXISTS vb365_exporter CASCADE', name);
    const { port } = where.startsWith('behind') ? pooler : database;
    return readablePostgresqlStore(await openPool(stateIn(port, name)));
  });
});

/** Starts replicas on one database. */
async function replicas(of: readonly (Partial<PostgresqlOptions> & Readonly<{ replica: string }>)[], leaseMs = 15_000) {
  const state = stateIn(database.port, await database.createDatabase());
  return Promise.all(
    of.map(async options => postgresqlStore(await openPool(state), { leaseMs, clock: systemClock, ...options })),
  );
}

const closeAll = async (stores: readonly PostgresqlStore[]): Promise<void> =>
  void (await Promise.all(stores.map(async store => store.close())));

const one = (server: string) => ({ server, deltas: [{ ...counter(1), labels: [server] }] });
const valueOf = async (store: PostgresqlStore): Promise<unknown> =>
  (await store.series()).map(series => series.kind === 'counter' && Number(series.value));

describe('leases', () => {
  test('are acquired by exactly one of many replicas, and the tables are made once', async () => {
    const stores = await replicas(Array.from({ length: 6 }, (_, n) => ({ replica: `r${String(n)}` })));
    const servers = Array.from({ length: 60 }, (_, n) => `s${String(n)}`);
    await Promise.all(stores.map(async ({ leases }) => leases.enroll(servers)));
    for (let round = 0; round < 5; round += 1) {
      await Promise.all(
        stores.map(async ({ leases }) => leases.acquire(servers.toSorted(() => random() - 0.5).slice(0, 30))),
      );
    }
    await stores[0]?.leases.acquire(servers);
    const held = stores.flatMap(({ leases }) => leases.held());
    expect(held.toSorted()).toEqual(servers.toSorted());
    await closeAll(stores);
  });

  test('that ended are lost, whatever their holder believes, and it commits nothing', async () => {
    const frozen = { monotonic: () => 0, sleep: async () => undefined };
    const refusals: number[] = [];
    const [slow, quick] = await replicas(
      [{ replica: 'slow', clock: frozen, fenced: () => void refusals.push(1) }, { replica: 'quick' }],
      1_000,
    );
    if (slow === undefined || quick === undefined) throw new Error('No replicas');
    await slow.leases.enroll(['hq']);
    expect(await slow.leases.acquire(['hq'])).toEqual(['hq']);
    expect(await quick.leases.acquire(['hq'])).toEqual([]);
    await slow.commit(one('hq'));
    await eventually('the lease has ended', async () =>
      (await quick.leases.acquire(['hq'])).length > 0 ? true : undefined,
    );
    expect(slow.leases.held()).toEqual(['hq']);
    await expect(slow.commit(one('hq'))).rejects.toMatchObject({ reason: 'store', details: { fenced: true } });
    expect(refusals).toEqual([1]);
    await quick.commit(one('hq'));
    expect(await valueOf(quick)).toEqual([2]);
    await quick.leases.renew(['hq'], false);
    expect(await slow.leases.renew(['hq'], false)).toMatchObject({ lost: ['hq'], others: [{ id: 'quick' }] });
    expect(slow.leases.held()).toEqual([]);
    await closeAll([slow, quick]);
  });

  test('are given up by the own clock before they end', async () => {
    let nowMs = 0;
    const [store] = await replicas([
      { replica: 'one', clock: { monotonic: () => nowMs, sleep: async () => undefined } },
    ]);
    if (store === undefined) throw new Error('No replica');
    await store.leases.enroll(['hq']);
    await store.leases.acquire(['hq']);
    nowMs = 11_900;
    await store.commit(one('hq'));
    nowMs = 12_100;
    expect(store.leases.held()).toEqual([]);
    await expect(store.commit(one('hq'))).rejects.toMatchObject({ details: { fenced: true } });
    await closeAll([store]);
  });

  test('are renewed while commits of many servers go on', async () => {
    const [store] = await replicas([{ replica: 'one' }]);
    if (store === undefined) throw new Error('No replica');
    const servers = Array.from({ length: 1_000 }, (_, n) => `s${String(n)}`);
    await store.leases.enroll(servers);
    await store.leases.acquire(servers);
    const commits = async (): Promise<void> => {
      for (let round = 0; round < 60; round += 1) {
        const deltas = servers
          .toSorted(() => random() - 0.5)
          .slice(0, 20)
          .map(server => ({ ...counter(1), labels: [server] }));
        // oxlint-disable-next-line no-await-in-loop -- one after the other
        await store.commit({ server: 's0', deltas });
      }
    };
    const renewals = async (): Promise<void> => {
      // oxlint-disable-next-line no-await-in-loop -- as above
      for (let round = 0; round < 200; round += 1) await store.leases.renew(servers, false);
    };
    await Promise.all([commits(), renewals()]);
    expect(store.leases.held()).toHaveLength(1_000);
    await store.close();
  });

  test('that are released are free at once', async () => {
    const [first, second] = await replicas([{ replica: 'first' }, { replica: 'second' }]);
    if (first === undefined || second === undefined) throw new Error('No replicas');
    await first.leases.enroll(['hq', 'branch']);
    await first.leases.acquire(['hq', 'branch']);
    await second.leases.renew(['hq', 'branch'], false);
    expect(await first.leases.renew(['hq', 'branch'], false)).toEqual({
      lost: [],
      free: [],
      others: [{ id: 'second', draining: false, servers: 0 }],
    });
    await first.leases.release(['hq']);
    expect((await second.leases.renew(['hq', 'branch'], false)).free).toEqual(['hq']);
    expect(await second.leases.acquire(['hq', 'branch'])).toEqual(['hq']);
    await first.leases.leave();
    expect(await second.leases.renew(['hq', 'branch'], false)).toEqual({ lost: [], free: ['branch'], others: [] });
    await closeAll([first, second]);
  });

  test('are not acquired in the middle of a commit, which a paused process cannot finish later', async () => {
    const name = await database.createDatabase();
    const state = stateIn(database.port, name);
    const [paused, next] = await Promise.all(
      ['paused', 'next'].map(async replica => {
        const pool = await openPool(state);
        return { pool, store: await postgresqlStore(pool, { replica, leaseMs: 900, clock: systemClock }) };
      }),
    );
    if (paused === undefined || next === undefined) throw new Error('No replicas');
    await paused.store.leases.enroll(['hq']);
    await paused.store.leases.acquire(['hq']);
    // What a process has sent that is stopped after the first statement of its commit.
    const sleeping = new Transactions(await openPool(state), 300).run(async query => {
      await query("UPDATE vb365_exporter.lease SET last_commit = 'x' WHERE server = 'hq' AND holder = 'paused'");
      await systemClock.sleep(2_000, new AbortController().signal);
      await query("INSERT INTO vb365_exporter.since VALUES ('hq', 'logs', 1)");
    });
    sleeping.catch(() => undefined);
    await eventually('the next replica has it', async () =>
      (await next.store.leases.acquire(['hq'])).length > 0 ? true : undefined,
    );
    await expect(sleeping).rejects.toThrow('connection');
    expect(await next.store.state('hq')).toMatchObject({ since: {} });
    await closeAll([paused.store, next.store]);
  });

  test('refuse the second of two replicas that read the same installation', async () => {
    const [first, second] = await replicas([{ replica: 'first' }, { replica: 'second' }]);
    if (first === undefined || second === undefined) throw new Error('No replicas');
    await first.leases.enroll(['hq', 'branch']);
    await first.leases.acquire(['hq']);
    await second.leases.acquire(['branch']);
    const adopted = await Promise.allSettled([
      first.commit({ server: 'hq', facts: { installationId: 'i' } }),
      second.commit({ server: 'branch', facts: { installationId: 'i' } }),
    ]);
    expect(adopted.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
    const refused = adopted.find(({ status }) => status === 'rejected');
    expect(refused).toMatchObject({
      reason: { reason: 'config', message: expect.stringContaining('is the same installation') },
    });
    expect(await first.holders('i')).toHaveLength(1);
    await closeAll([first, second]);
  });
});

const commitAll = async (store: PostgresqlStore, commits: number, isOver: () => boolean): Promise<number> => {
  let failures = 0;
  for (let n = 0; n < commits || !isOver(); n += 1)
    for (;;) {
      const failed = await store.commit(one('hq')).then(
        () => false,
        () => true,
      );
      if (!failed) {
        commits = Math.max(commits, n + 1);
        break;
      }
      failures += 1;
      await systemClock.sleep(20, new AbortController().signal);
    }
  expect(await valueOf(store)).toEqual([commits]);
  return failures;
};

describe('every commit is stored exactly once', () => {
  test('while connections are cut', async () => {
    const [store] = await replicas([{ replica: 'one' }], 600_000);
    if (store === undefined) throw new Error('No replica');
    await store.leases.enroll(['hq']);
    await store.leases.acquire(['hq']);
    let cuts = 0;
    const cutting = (async () => {
      for (; cuts < 100; cuts += 1) {
        await database.cut();
        await systemClock.sleep(random() * 30, new AbortController().signal);
      }
    })();
    expect(await commitAll(store, 200, () => cuts >= 100)).toBeGreaterThan(0);
    await cutting;
    await closeAll([store]);
  });

  test('while PostgreSQL crashes and restarts', async () => {
    const [store] = await replicas([{ replica: 'one' }], 600_000);
    if (store === undefined) throw new Error('No replica');
    await store.leases.enroll(['hq']);
    await store.leases.acquire(['hq']);
    let isOver = false;
    const restarting = (async () => {
      for (const how of ['crash', 'shutdown', 'crash'] as const) {
        await systemClock.sleep(300, new AbortController().signal);
        await database.stop(how);
        await database.start();
      }
    })().finally(() => (isOver = true));
    expect(await commitAll(store, 50, () => isOver)).toBeGreaterThan(0);
    await restarting;
    await closeAll([store]);
  });
});
