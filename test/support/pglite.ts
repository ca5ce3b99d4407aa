import { PGlite } from '@electric-sql/pglite';
import type { PooledConnection, Pool } from '../../src/store/postgresql/pool.js';

/** A database in this process, in the form of a pool. It has one session, so its connections take turns. */
export async function pglite(): Promise<Readonly<{ pool: Pool; database: PGlite }>> {
  const database = await PGlite.create();
  let last: Promise<unknown> = Promise.resolve();
  const connect = async (): Promise<PooledConnection> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    const before = last;
    last = promise;
    await before;
    return {
      query: async (sql, values) =>
        values === undefined
          ? ((await database.exec(sql)).at(-1)?.rows ?? []).map(asRow)
          : (await database.query(sql, [...values])).rows.map(asRow),
      release: isBroken => void (isBroken ? database.exec('ROLLBACK') : Promise.resolve()).finally(resolve),
    };
  };
  return { database, pool: { connect, end: async () => undefined } };
}

const asRow = (row: unknown): Readonly<Record<string, unknown>> => (typeof row === 'object' ? { ...row } : {});
