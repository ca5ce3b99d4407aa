import type { DatabaseSync } from 'node:sqlite';
import { ExporterError } from '../kernel/errors.js';

/** Marks a file as ours: "VB65", as SQLite's `application_id`. */
export const applicationId = 0x56423635;
/**
 * What makes each version of the schema out of the one before it. A version that was released is never changed: files
 * of it exist.
 */
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

/** The schema that this version writes. */
export const schemaVersion = migrations.length;

/**
 * Checks that a file is one of ours, and that this version can read it.
 * @throws {ExporterError} `store`.
 */
export function checkSchema(database: DatabaseSync, path: string): void {
  if (pragma(database, 'application_id') !== applicationId)
    throw new ExporterError('store', `Could not use state file "${path}": it is a database of another program`);
  checkVersion(schemaOf(database), path);
}

/** @throws {ExporterError} `store` when a schema is newer than ours. */
export function checkVersion(version: number, path: string): void {
  if (version > schemaVersion)
    throw new ExporterError(
      'store',
      `Could not use state file "${path}": its schema is version ${String(version)}, this program knows ${String(schemaVersion)}; run the newer program, or move the file away`,
    );
}

/** The version of a file's schema; 0 for a file without one. */
export const schemaOf = (database: DatabaseSync): number => pragma(database, 'user_version');

/**
 * Brings a file up to the schema of this version, from an older one or from nothing: all the way or not at all. Answers
 * the version that it had.
 */
export function makeSchema(database: DatabaseSync): number {
  const from = schemaOf(database);
  if (from === schemaVersion) return from;
  const steps = migrations.slice(from).join('');
  database.exec('BEGIN IMMEDIATE');
  try {
    database.exec(
      `${steps} PRAGMA application_id = ${String(applicationId)}; PRAGMA user_version = ${String(schemaVersion)}; COMMIT`,
    );
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
  return from;
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}
