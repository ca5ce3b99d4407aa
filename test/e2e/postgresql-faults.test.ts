import { afterEach, expect, test } from '@jest/globals';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import { systemClock } from '../../src/kernel/clock.js';
import { openPool } from '../../src/store/postgresql/connect.js';
import { postgresqlStore, type PostgresqlStore } from '../../src/store/postgresql/store.js';
import { counter, row } from '../store/conformance.js';
import { type Postgresql, password, startPostgresql, stateIn } from './support/postgresql.js';
import { eventually } from './support/running.js';
import { switchboard } from './support/switchboard.js';

const stops: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

const started = async (settings: readonly string[] = []): Promise<Postgresql> => {
  const database = await startPostgresql(settings);
  stops.push(async () => database.remove());
  return database;
};

/** A replica that holds the lease of `hq` for as long as a test takes. */
async function replica(port: number, database: string): Promise<PostgresqlStore> {
  const pool = await openPool(stateIn(port, database));
  const store = await postgresqlStore(pool, { replica: 'one', leaseMs: 600_000, clock: systemClock });
  stops.push(async () => store.close());
  await store.leases.enroll(['hq']);
  await store.leases.acquire(['hq']);
  return store;
}

async function contentOf(store: PostgresqlStore) {
  const [series] = await store.series();
  const sessions = await store.pending('hq', 'metrics');
  return { counted: series?.kind === 'counter' && Number(series.value), sessions: sessions.length };
}

/** Commits, each a count and a session, one after the other; what failed is repeated, as the exporter does. */
function committing(store: PostgresqlStore) {
  const [over, failures] = [new AbortController(), new Set<string>()];
  let stored = 0;
  const running = (async () => {
    while (!over.signal.aborted) {
      const change = {
        server: 'hq',
        rows: [row({ session: `s${String(stored)}`, cursor: 'x'.repeat(5_000) })],
        deltas: [{ ...counter(1), labels: ['hq'] }],
      };
      try {
        await store.commit(change);
        stored += 1;
      } catch (thrown) {
        failures.add(thrown instanceof Error ? thrown.message.replace(/^.*PostgreSQL: /, '') : String(thrown));
        await systemClock.sleep(50, over.signal).catch(() => undefined);
      }
    }
  })();
  return {
    failures,
    /** Waits until so many more are stored. */
    more: async (commits: number): Promise<void> => {
      const enough = stored + commits;
      await eventually(`${String(commits)} more commits`, () => (stored >= enough ? true : undefined));
    },
    fails: async (why: string): Promise<void> =>
      void (await eventually(why, () => (failures.has(why) ? true : undefined))),
    /** Everything is stored once: the count, and each session. */
    end: async (): Promise<void> => {
      over.abort();
      await running;
      expect(await contentOf(store)).toEqual({ counted: stored, sessions: stored });
    },
  };
}

test('a full disk', async () => {
  const database = await started();
  const disk = mkdtempSync(join(tmpdir(), 'vb365-disk-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=16m,mode=0777', 'tmpfs', disk]);
  expect(mounted.status).toBe(0);
  stops.unshift(async () => {
    spawnSync('umount', [disk]);
    rmSync(disk, { recursive: true });
  });
  spawnSync('chown', ['postgres', disk]);
  await database.sql(`CREATE TABLESPACE small LOCATION '${disk}'`);
  const name = await database.createDatabase();
  await database.sql(`ALTER DATABASE ${name} SET TABLESPACE small`);
  const commits = committing(await replica(database.port, name));
  await commits.more(5);
  const filler = join(disk, 'filler');
  spawnSync('dd', ['if=/dev/zero', `of=${filler}`, 'bs=64k']);
  await commits.fails('its disk is full; free space on it');
  rmSync(filler);
  await commits.more(5);
  await commits.end();
});

test('no connection is free', async () => {
  const database = await started(['max_connections=8', 'superuser_reserved_connections=3']);
  const name = await database.createDatabase();
  const commits = committing(await replica(database.port, name));
  await commits.more(5);
  const others: Client[] = [];
  await eventually('every connection is taken', async () => {
    await database.sql(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vb365-exporter'",
    );
    const client = new Client({ host: '127.0.0.1', port: database.port, user: 'vb365', password, database: name });
    client.on('error', () => undefined);
    await client.connect().then(
      () => others.push(client),
      () => undefined,
    );
    return commits.failures.has('it has too many connections') ? true : undefined;
  });
  await Promise.all(others.map(async client => client.end()));
  await commits.more(5);
  await commits.end();
});

test('an answer takes a second, and then none comes', async () => {
  const database = await started();
  const name = await database.createDatabase();
  const way = await switchboard(database.port);
  stops.push(async () => way.close());
  const commits = committing(await replica(way.port, name));
  way.delay(200);
  await commits.more(2);
  way.delay(Infinity);
  await commits.fails('it did not answer in time');
  way.delay(0);
  way.cut();
  await commits.more(5);
  await commits.end();
});

test('a session is ended while it waits for its COMMIT, which is stored', async () => {
  const database = await started();
  const name = await database.createDatabase();
  const commits = committing(await replica(database.port, name));
  await commits.more(5);
  for (let n = 0; n < 3; n += 1) {
    // Nobody confirms it, so a commit waits after it was stored.
    await database.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'");
    await database.sql('SELECT pg_reload_conf()');
    await eventually('a session in COMMIT is ended', async () => {
      const sql =
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep' AND query = 'COMMIT'";
      return (await database.sql(sql)).length > 0 ? true : undefined;
    });
    await database.sql('ALTER SYSTEM RESET synchronous_standby_names');
    await database.sql('SELECT pg_reload_conf()');
    await commits.more(5);
  }
  await commits.end();
});

/** A primary that crashes, and its standby, which is promoted; connections follow. */
async function failover(isSynchronous: boolean) {
  const primary = await started();
  const name = await primary.createDatabase();
  const standby = await primary.standby();
  stops.push(async () => standby.remove());
  if (isSynchronous) {
    await primary.sql("ALTER SYSTEM SET synchronous_standby_names = 'standby'");
    await primary.sql('SELECT pg_reload_conf()');
  }
  await eventually('the standby follows', async () => {
    const [state] = await primary.sql('SELECT sync_state FROM pg_stat_replication');
    return state?.['sync_state'] === (isSynchronous ? 'sync' : 'async') ? true : undefined;
  });
  const way = await switchboard(primary.port);
  stops.push(async () => way.close());
  return {
    store: await replica(way.port, name),
    primary,
    standby,
    promote: async () => {
      await primary.stop('crash');
      await standby.sql('SELECT pg_promote()');
      way.to(standby.port);
    },
  };
}

test('a failover to a synchronous standby', async () => {
  const { store, promote } = await failover(true);
  const commits = committing(store);
  await commits.more(20);
  await promote();
  await commits.more(20);
  expect(commits.failures.size).toBeGreaterThan(0);
  await commits.end();
});

test('a failover to a standby that lacks commits takes counts and progress back together', async () => {
  const { store, primary, standby, promote } = await failover(false);
  const first = committing(store);
  await first.more(10);
  await first.end();
  const before = await contentOf(store);
  await eventually('the standby has them', async () => {
    const sql = 'SELECT replay_lsn >= pg_current_wal_lsn() AS is_there FROM pg_stat_replication';
    return (await primary.sql(sql))[0]?.['is_there'] === true ? true : undefined;
  });
  await standby.stop('shutdown');
  await store.commit({ server: 'hq', rows: [row({ session: 'lost' })], deltas: [{ ...counter(1), labels: ['hq'] }] });
  await primary.stop('crash');
  await standby.start();
  await promote();
  expect(await eventually('the store answers', async () => contentOf(store))).toEqual(before);
});
