import { DatabaseSync } from 'node:sqlite';
import { closing, transaction } from './database.js';
import { damage } from './errors.js';

/** SQLite's `application_id` of a state file: "VB65". */
export const applicationId = 0x56423635;
/** The table of dead letters. */
export const deadLetterTable = 'set_aside';
/**
 * The SQL that makes each version of the schema from the one before it. A migration that has landed is never edited:
 * files of it exist. A test holds the text of each by its hash.
 */
export const migrations: readonly (string | ((database: DatabaseSync) => string))[] = [
  `
  CREATE TABLE since (
    server TEXT NOT NULL, sink TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (server, sink)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE session (
    server TEXT NOT NULL, session TEXT NOT NULL, sink TEXT NOT NULL,
    created_at INTEGER NOT NULL, done INTEGER NOT NULL, cursor TEXT NOT NULL,
    PRIMARY KEY (server, session, sink)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX session_pending ON session (server, sink) WHERE done = 0;
  CREATE TABLE series (
    key TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL, value TEXT NOT NULL
  ) STRICT, WITHOUT ROWID;
`,
  `
  CREATE TABLE fact (
    server TEXT NOT NULL, name TEXT NOT NULL, value TEXT NOT NULL,
    PRIMARY KEY (server, name)
  ) STRICT, WITHOUT ROWID;
  ALTER TABLE series ADD COLUMN held TEXT NOT NULL DEFAULT '0';
  CREATE TABLE set_aside (
    server TEXT NOT NULL, sink TEXT NOT NULL, session TEXT NOT NULL, event TEXT NOT NULL,
    reason TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (server, sink, session, event)
  ) STRICT, WITHOUT ROWID;
`,
  // Version 2 was edited in place three times before this rule held: a file of it may lack the column or the table.
  database => `
  ${columnsOf(database, 'series').includes('held') ? '' : "ALTER TABLE series ADD COLUMN held TEXT NOT NULL DEFAULT '0';"}
  CREATE TABLE IF NOT EXISTS set_aside (
    server TEXT NOT NULL, sink TEXT NOT NULL, session TEXT NOT NULL, event TEXT NOT NULL,
    reason TEXT NOT NULL, at INTEGER NOT NULL,
    PRIMARY KEY (server, sink, session, event)
  ) STRICT, WITHOUT ROWID;
`,
];

/** The columns of a table; none when there is no such table. */
const columnsOf = (database: DatabaseSync, table: string): readonly string[] =>
  database
    .prepare('SELECT name FROM pragma_table_info(?)')
    .all(table)
    .map(({ name }) => String(name));

/** The current schema version. */
export const schemaVersion = migrations.length;

/**
 * Checks that a file is one of this program whose schema is current, or migrates to the current one. Changes nothing.
 * @throws {ExporterError} `store`, or an error of SQLite.
 */
export function checkSchema(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== applicationId) throw otherProgram(path);
  const version = schemaOf(database);
  checkVersion(version, path);
  const found = migrated(version, sqlOf(database));
  const missing = migrated(0, []).find(column => !found.includes(column));
  if (missing !== undefined) throw damage(path, `its schema lacks "${missing.split(' ', 1).join()}"`);
}

export const otherProgram = (path: string) =>
  damage(path, 'it is a database of another program', 'correct "state.path", restore a backup of it');

/** The tables and indexes of a file. */
const sqlOf = (database: DatabaseSync): readonly string[] =>
  database
    .prepare(
      "SELECT sql FROM sqlite_schema WHERE type IN ('table', 'index') AND sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY type DESC",
    )
    .all()
    .map(({ sql }) => String(sql));

/** The columns of a schema after its migration, as `table.column TYPE place-in-key`. @throws an error of SQLite. */
const migrated = (version: number, sql: readonly string[]): readonly string[] =>
  closing(new DatabaseSync(':memory:'), trial => {
    for (const statement of sql) trial.exec(statement);
    trial.exec(`PRAGMA user_version = ${String(version)}`);
    migrate(trial);
    const columns = trial.prepare(
      "SELECT t.name || '.' || c.name || ' ' || c.type || ' ' || c.pk AS text FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table'",
    );
    return columns.all().map(({ text }) => String(text));
  });

/** @throws {ExporterError} `store` when no program wrote the version, or only a newer one. */
export function checkVersion(version: number, path: string): void {
  const how = `its schema version is ${String(version)}`;
  if (version < 1) throw damage(path, how);
  if (version > schemaVersion)
    throw damage(path, `${how}, this program supports up to ${String(schemaVersion)}`, 'run a newer version');
}

/** The schema version of a file; 0 for a file without one. */
export const schemaOf = (database: DatabaseSync): number => pragma(database, 'user_version');

/** Migrates a file to the current schema in one transaction. Returns the version it had. */
export function migrate(database: DatabaseSync): number {
  const from = schemaOf(database);
  if (from === schemaVersion) return from;
  transaction(database, () => {
    for (const step of migrations.slice(from)) database.exec(typeof step === 'string' ? step : step(database));
    database.exec(`PRAGMA application_id = ${String(applicationId)}; PRAGMA user_version = ${String(schemaVersion)}`);
  });
  return from;
}

const pragma = (database: DatabaseSync, name: string): number =>
  Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
