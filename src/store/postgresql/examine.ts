import type { PostgresqlConfig } from '../../config/postgresql.js';
import { ExporterError } from '../../kernel/errors.js';
import { openPool } from './connect.js';
import { postgresqlError } from './errors.js';
import { type RunSql, Transactions } from './pool.js';
import { newerSchema, schemaName, schemaVersion, versionOf } from './schema.js';

/** What a database says about itself. */
type PostgresqlFacts = Readonly<{
  /** Such as `15.4`. */
  version: string;
  /** 0 where there are no tables yet, and they can be created. */
  schema: number;
  /** Epoch ms by its clock. */
  nowMs: number;
}>;

/** The first version with all that the statements use. */
const oldestVersion = 13;

/** Runs one transaction in the database of the configuration. @throws {ExporterError} `store`. */
export async function inPostgresql<T>(
  config: PostgresqlConfig,
  verb: string,
  action: (query: RunSql) => Promise<T>,
  timeoutMs = 5_000,
): Promise<T> {
  const pool = await openPool(config);
  try {
    return await new Transactions(pool, timeoutMs).run(action);
  } catch (thrown) {
    throw postgresqlError(verb, thrown);
  } finally {
    await pool.end();
  }
}

/**
 * Checks whether the exporter can keep its state in a database. Changes nothing.
 * @throws {ExporterError} `store` when it could not.
 */
export const examinePostgresql = async (config: PostgresqlConfig): Promise<PostgresqlFacts> =>
  inPostgresql(config, 'use', async query => {
    const [row = {}] = await query(
      `SELECT current_setting('server_version_num')::integer AS version, current_setting('server_version') AS name, pg_is_in_recovery() OR current_setting('transaction_read_only')::boolean AS read_only, extract(epoch FROM clock_timestamp())::float8 * 1000 AS now, has_database_privilege(current_database(), 'CREATE') AS may_create, (SELECT has_schema_privilege(oid, 'USAGE, CREATE') FROM pg_namespace WHERE nspname = $1) AS has_schema`,
      [schemaName],
    );
    const schema = await versionOf(query);
    if (Number(row['version']) < oldestVersion * 10_000)
      throw unusable(`it is version ${String(row['name'])}; ${String(oldestVersion)} or later is needed`);
    if (row['read_only'] === true) throw unusable('it is read-only; a standby takes no writes, connect to the primary');
    if (schema > schemaVersion) throw newerSchema(schema);
    if (row['has_schema'] === false || (row['has_schema'] === null && row['may_create'] !== true))
      throw unusable(`permission denied; let the user create the schema "${schemaName}", or make it its owner`);
    return { version: String(row['name']), schema, nowMs: Number(row['now']) };
  });

const unusable = (why: string): ExporterError =>
  new ExporterError('store', `Could not use the state in PostgreSQL: ${why}`);
