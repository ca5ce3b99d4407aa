import type { StateChange } from '../../src/pipeline/ports.js';
import { openPool } from '../../src/store/postgresql/connect.js';
import { startPostgresql, stateIn, urlOf } from '../../test/e2e/support/postgresql.js';
import { leasedStore } from '../../test/support/postgresql-store.js';

/** How many statements the exporters have sent. */
export type Statements = Readonly<{
  all: number;
  /** What renews leases. */
  renewals: number;
}>;

/** An empty database of a real PostgreSQL that writes to the disk. */
export type Database = Readonly<{
  url: string;
  /** Stores a change, as a replica that has left since. */
  commit: (change: StateChange) => Promise<void>;
  statements: () => Promise<Statements>;
  remove: () => Promise<void>;
}>;

export async function startDatabase(): Promise<Database> {
  const server = await startPostgresql(['fsync=on', 'shared_preload_libraries=pg_stat_statements']);
  await server.sql('CREATE EXTENSION pg_stat_statements');
  const name = await server.createDatabase();
  const counted = `SELECT coalesce(sum(calls), 0)::integer AS "all", coalesce(sum(calls) FILTER (WHERE query LIKE '%WITH alive AS%'), 0)::integer AS renewals
    FROM pg_stat_statements JOIN pg_database ON pg_database.oid = dbid WHERE datname = '${name}'`;
  return {
    url: urlOf(server.port, name),
    commit: async change => {
      const store = await leasedStore(await openPool(stateIn(server.port, name)));
      await store.commit(change);
      await store.leases.leave();
      await store.close();
    },
    statements: async () => {
      const [row] = await server.sql(counted);
      return { all: Number(row?.['all']), renewals: Number(row?.['renewals']) };
    },
    remove: async () => server.remove(),
  };
}
