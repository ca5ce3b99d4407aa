import type { DatabaseSync } from 'node:sqlite';
import { ExporterError } from '../kernel/errors.js';

/** SQLite's `application_id` of a state file: "VB65". */
export const applicationId = 0x56423635;
/** Each takes the schema from one version to the next. Released ones never change, because files of them exist. */
const migrations: readonly string[] = [
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
];

/** The current schema version. */
export const schemaVersion = migrations.length;

/** @throws {ExporterError} `store` when the file is of another program or of a newer schema. */
export function checkSchema(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== applicationId)
    throw new ExporterError('store', `Could not use state file "${path}": it is a database of another program`);
  checkVersion(schemaOf(database), path);
}

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
  database.exec('BEGIN IMMEDIATE');
  try {
    for (const migration of migrations.slice(from)) database.exec(migration);
    database.exec(`PRAGMA application_id = ${String(applicationId)}; PRAGMA user_version = ${String(schemaVersion)}`);
    database.exec('COMMIT');
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
  return from;
}

const pragma = (database: DatabaseSync, name: string): number =>
  Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
