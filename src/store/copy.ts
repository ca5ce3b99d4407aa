import { existsSync, renameSync, rmSync } from 'node:fs';
import type { DatabaseSync, SQLInputValue } from 'node:sqlite';
import type { PostgresqlConfig } from '../config/postgresql.js';
import { ExporterError } from '../kernel/errors.js';
import { transaction } from './database.js';
import { readStoredSeries } from './encoding.js';
import { storeError } from './errors.js';
import { openForCommits } from './open.js';
import { refuseHeld, requireSchema } from './postgresql/admin.js';
import { openPool } from './postgresql/connect.js';
import { postgresqlError } from './postgresql/errors.js';
import { type RunSql, Transactions } from './postgresql/pool.js';
import { migrate, schemaName } from './postgresql/schema.js';
import { columnsOf, PostgresqlTables, type TableName, tableNames } from './postgresql/tables.js';

/** Number of copied rows, by table. */
export type CopiedRows = Readonly<Record<string, number>>;

/** Rows at once. */
const chunkRows = 5_000;
/** For a chunk. */
const statementMs = 60_000;

/**
 * Copies everything in a state file to PostgreSQL, in one transaction. The file stays as it is, except that an older schema
 * is migrated.
 * @throws {ExporterError} `store` when the exporter runs, or PostgreSQL holds a state already.
 */
export async function copyToPostgresql(path: string, config: PostgresqlConfig): Promise<CopiedRows> {
  if (!existsSync(path)) throw new ExporterError('store', `Could not copy state file "${path}": there is no such file`);
  const database = openForCommits(path, () => undefined);
  try {
    return await inTransaction(config, async query => {
      await lockLeases(query);
      for (const name of tableNames) await refuseRows(query, name);
      const tables = new PostgresqlTables(query);
      const copied: Record<string, number> = {};
      for (const name of tableNames) {
        copied[name] = 0;
        for (const rows of chunksOf(database, name)) {
          if (name === 'series') await tables.putSeries(readStoredSeries(rows));
          else
            await tables.put(name, name === 'session' ? rows.map(row => ({ ...row, done: row['done'] === 1n })) : rows);
          copied[name] += rows.length;
        }
      }
      return copied;
    });
  } finally {
    database.close();
  }
}

/**
 * Copies everything in PostgreSQL to a new state file.
 * @throws {ExporterError} `store` when a replica runs, or there is such a file already.
 */
export async function copyToFile(config: PostgresqlConfig, path: string): Promise<CopiedRows> {
  if (existsSync(path)) throw new ExporterError('store', `Could not copy to state file "${path}": it exists already`);
  // A file gets its name when it is complete: an empty one would be taken for the state.
  const unfinished = `${path}.copy`;
  for (const suffix of ['', '-wal', '-shm']) rmSync(`${unfinished}${suffix}`, { force: true });
  const database = openForCommits(unfinished, () => undefined);
  try {
    const copied = await inTransaction(config, async query => {
      await lockLeases(query);
      const counts: Record<string, number> = {};
      for (const name of tableNames) counts[name] = await copyTable(query, database, name);
      return counts;
    });
    database.close();
    renameSync(unfinished, path);
    return copied;
  } catch (thrown) {
    if (database.isOpen) database.close();
    rmSync(unfinished, { force: true });
    throw storeError(`Could not write state file "${path}"`, thrown);
  }
}

async function copyTable(query: RunSql, database: DatabaseSync, name: TableName): Promise<number> {
  const columns = columnsOf(name).filter(column => name !== 'series' || !['id', 'server'].includes(column));
  const texts = columns.map(column => (column === 'done' ? 'done' : `${column}::text AS ${column}`));
  const insert = database.prepare(
    `INSERT INTO ${name} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`,
  );
  await query(`DECLARE copied NO SCROLL CURSOR FOR SELECT ${texts.join(', ')} FROM ${schemaName}.${name}`);
  for (let count = 0; ;) {
    const rows = await query(`FETCH ${String(chunkRows)} FROM copied`, []);
    if (rows.length === 0) {
      await query('CLOSE copied');
      return count;
    }
    transaction(database, () => {
      for (const row of rows) insert.run(...columns.map(column => valueOf(column, row[column])));
    });
    count += rows.length;
  }
}

const valueOf = (column: string, value: unknown): SQLInputValue => {
  if (column === 'done') return value === true ? 1n : 0n;
  return column === 'at' || column === 'created_at' ? BigInt(String(value)) : String(value);
};

async function inTransaction<T>(config: PostgresqlConfig, action: (query: RunSql) => Promise<T>): Promise<T> {
  const pool = await openPool(config);
  try {
    const transactions = new Transactions(pool, statementMs);
    await migrate(transactions);
    return await transactions.run(action);
  } catch (thrown) {
    throw postgresqlError('copy', thrown);
  } finally {
    await pool.end();
  }
}

/** Until the transaction ends, no replica acquires a server. */
async function lockLeases(query: RunSql): Promise<void> {
  await requireSchema(query);
  await query(`LOCK TABLE ${schemaName}.lease IN EXCLUSIVE MODE`);
  await refuseHeld(query);
}

async function refuseRows(query: RunSql, name: TableName): Promise<void> {
  if ((await query(`SELECT 1 FROM ${schemaName}.${name} LIMIT 1`)).length === 0) return;
  throw new ExporterError(
    'store',
    'Could not copy the state to PostgreSQL: it holds one already; use another database, or drop its schema "vb365_exporter"',
  );
}

function* chunksOf(database: DatabaseSync, name: TableName): Generator<readonly Readonly<Record<string, unknown>>[]> {
  let rows: Readonly<Record<string, unknown>>[] = [];
  for (const row of database.prepare(`SELECT * FROM ${name}`).iterate()) {
    rows.push(row);
    if (rows.length < chunkRows) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}
