import type { DatabaseSync } from 'node:sqlite';
import { ExporterError } from '../kernel/errors.js';
import { transaction } from './database.js';
import { damage } from './errors.js';

/** SQLite's `application_id` of a state file: "VB65". */
export const applicationId = 0x56423635;
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

/** The current schema version. */
export const schemaVersion = migrations.length;

/** The tables and columns that a file has from a version on. */
const parts: readonly Readonly<{ since: number; table: string; columns: readonly string[] }>[] = [
  { since: 1, table: 'since', columns: ['server', 'sink', 'at'] },
  { since: 1, table: 'session', columns: ['server', 'session', 'sink', 'created_at', 'done', 'cursor'] },
  { since: 1, table: 'series', columns: ['key', 'kind', 'value'] },
  { since: 2, table: 'fact', columns: ['server', 'name', 'value'] },
  { since: 3, table: 'series', columns: ['held'] },
  { since: 3, table: 'set_aside', columns: ['server', 'sink', 'session', 'event', 'reason', 'at'] },
];

/** @throws {ExporterError} `store` when the file is of another program, of a newer schema or lacks a part of its schema. */
export function checkSchema(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== applicationId)
    throw new ExporterError('store', `Could not use state file "${path}": it is a database of another program`);
  const version = schemaOf(database);
  checkVersion(version, path);
  checkTables(database, version, path);
}

/** @throws {ExporterError} `store` when a table or column that belongs to the version of a file is missing. */
export function checkTables(database: DatabaseSync, version: number, path: string): void {
  for (const { table, columns } of parts.filter(({ since }) => since <= version)) {
    const found = columnsOf(database, table);
    const missing = columns.find(column => !found.includes(column));
    if (missing !== undefined) throw damage(path, `its schema lacks "${table}.${missing}"`);
  }
}

/** The columns of a table; none when there is no such table. */
const columnsOf = (database: DatabaseSync, table: string): readonly string[] =>
  database
    .prepare('SELECT name FROM pragma_table_info(?)')
    .all(table)
    .map(({ name }) => String(name));

/** @throws {ExporterError} `store` when the schema is newer than the current one. */
export function checkVersion(version: number, path: string): void {
  if (version > schemaVersion)
    throw new ExporterError(
      'store',
      `Could not use state file "${path}": its schema version is ${String(version)}, this program supports up to ${String(schemaVersion)}; run a newer version, or move the file away`,
    );
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
