import { ExporterError } from '../../kernel/errors.js';
import type { RunSql, Transactions } from './pool.js';

/** The schema of all tables, so that they can share a database with others. Statements name it: there is no session. */
export const schemaName = 'vb365_exporter';

/**
 * The SQL that makes each version of the schema from the one before it. A migration that has landed is never edited. The
 * tables of the state have the columns of the state file; `series.id` is the hash of the key, which can be longer than an
 * index allows.
 */
export const migrations: readonly string[] = [
  `
  CREATE TABLE ${schemaName}.since (
    server text NOT NULL, sink text NOT NULL, at bigint NOT NULL,
    PRIMARY KEY (server, sink)
  );
  CREATE TABLE ${schemaName}.session (
    server text NOT NULL, session text NOT NULL, sink text NOT NULL,
    created_at bigint NOT NULL, done boolean NOT NULL, cursor text NOT NULL,
    PRIMARY KEY (server, session, sink)
  );
  CREATE INDEX session_pending ON ${schemaName}.session (server, sink) WHERE NOT done;
  CREATE TABLE ${schemaName}.fact (
    server text NOT NULL, name text NOT NULL, value text NOT NULL,
    PRIMARY KEY (server, name)
  );
  CREATE TABLE ${schemaName}.series (
    id text NOT NULL PRIMARY KEY, server text NOT NULL, key text NOT NULL,
    kind text NOT NULL, value text NOT NULL, held text NOT NULL
  );
  CREATE INDEX series_server ON ${schemaName}.series (server);
  CREATE TABLE ${schemaName}.set_aside (
    server text NOT NULL, sink text NOT NULL, session text NOT NULL, event text NOT NULL,
    reason text NOT NULL, at bigint NOT NULL,
    PRIMARY KEY (server, sink, session, event)
  );
  CREATE TABLE ${schemaName}.lease (
    server text NOT NULL PRIMARY KEY, holder text NOT NULL DEFAULT '', fence bigint NOT NULL DEFAULT 0,
    expires_at timestamptz NOT NULL DEFAULT now(), last_commit text NOT NULL DEFAULT ''
  ) WITH (fillfactor = 50);
  CREATE TABLE ${schemaName}.replica (
    id text NOT NULL PRIMARY KEY, seen_at timestamptz NOT NULL DEFAULT now(), draining boolean NOT NULL DEFAULT false
  );
`,
];

/** The current schema version. */
export const schemaVersion = migrations.length;

/** The first number of the advisory locks of this program, so that they differ from those of others. */
export const lockId = 0x56423635;

/**
 * Migrates the database to the current schema, in one transaction. Returns the version it had, 0 for a new one.
 * @throws {ExporterError} `store` when only a newer program supports its schema.
 */
export const migrate = async (transactions: Transactions): Promise<number> =>
  transactions.run(async query => {
    // Two programs that migrate at once wait for one another.
    await query('SELECT pg_advisory_xact_lock($1, 1)', [lockId]);
    const from = await versionOf(query);
    if (from > schemaVersion) throw newerSchema(from);
    if (from === schemaVersion) return from;
    const [schema] = await query('SELECT to_regnamespace($1)::text AS name', [schemaName]);
    // A user that may not create it can be given one.
    if (schema?.['name'] === null) await query(`CREATE SCHEMA ${schemaName}`);
    if (from === 0) await query(`CREATE TABLE ${schemaName}.schema_version (version integer NOT NULL)`);
    for (const step of migrations.slice(from)) await query(step);
    await query(`DELETE FROM ${schemaName}.schema_version`);
    await query(`INSERT INTO ${schemaName}.schema_version VALUES ($1)`, [schemaVersion]);
    return from;
  });

/** The schema version of a database; 0 for one without tables. */
export async function versionOf(query: RunSql): Promise<number> {
  const [table] = await query('SELECT to_regclass($1)::text AS name', [`${schemaName}.schema_version`]);
  if (table?.['name'] === null) return 0;
  const [row] = await query(`SELECT version FROM ${schemaName}.schema_version`);
  return Number(row?.['version'] ?? 0);
}

export const newerSchema = (version: number): ExporterError =>
  new ExporterError(
    'store',
    `Could not use the state in PostgreSQL: its schema version is ${String(version)}, this program supports up to ${String(schemaVersion)}; run a newer version`,
  );
