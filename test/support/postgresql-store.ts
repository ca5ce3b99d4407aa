import { sinkNames } from '../../src/pipeline/ports.js';
import { systemClock } from '../../src/kernel/clock.js';
import { rejectReasons } from '../../src/model/event.js';
import { type Pool, Transactions } from '../../src/store/postgresql/pool.js';
import { type PostgresqlOptions, postgresqlStore, type PostgresqlStore } from '../../src/store/postgresql/store.js';
import { oneOf } from './dead-letters.js';
import type { ReadableStore } from './memory-store.js';

/** Long enough that no lease ends within a test. */
export const options: PostgresqlOptions = { replica: 'one', leaseMs: 600_000, clock: systemClock };

/** Acquires leases that are missing before each commit, as the replica does that runs the servers. */
export async function leasedStore(pool: Pool, over: Partial<PostgresqlOptions> = {}): Promise<PostgresqlStore> {
  const store = await postgresqlStore(pool, { ...options, ...over });
  const { leases } = store;
  return {
    ...store,
    commit: async change => {
      const servers = [change.server, ...(change.deltas ?? []).map(({ labels }) => labels[0] ?? '')];
      const missing = [...new Set(servers)].filter(server => !leases.held().includes(server));
      if (missing.length > 0) {
        await leases.enroll(missing);
        await leases.acquire(missing);
      }
      await store.commit(change);
    },
  };
}

/** A store in PostgreSQL whose dead letters a test can read. */
export async function readablePostgresqlStore(pool: Pool): Promise<ReadableStore> {
  const transactions = new Transactions(pool, 5_000);
  return {
    ...(await leasedStore(pool)),
    deadLetters: async server =>
      transactions.run(async query => {
        const sql =
          'SELECT sink, session, event, reason, at::text AS at FROM vb365_exporter.set_aside WHERE server = $1';
        return (await query(sql, [server])).map(({ sink, session, event, reason, at }) => ({
          sink: oneOf(sinkNames, sink),
          session: String(session),
          event: String(event),
          reason: oneOf(rejectReasons, reason),
          at: BigInt(String(at)),
        }));
      }),
  };
}
