import { chmodSync, closeSync, existsSync, mkdirSync, openSync, renameSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { damage, storeError } from './failure.js';
import { checkSchema, makeSchema } from './schema.js';
import { checkFiles } from './wal.js';

/**
 * Opens the state file at `path`, which must be there, and keeps every other process out until it is closed. It is
 * read from end to end once, and nothing of it is changed, its mode included.
 * @throws {ExporterError} `store` when it is in use, damaged, not ours, or of a newer schema.
 */
export function openFile(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    checkFiles(path);
    closeSync(openSync(path, 'r+'));
    database = new DatabaseSync(path, { readBigInts: true, timeout: 0 });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT');
    checkSchema(database, path);
    checkContent(database, path);
    return database;
  } catch (thrown) {
    database?.close();
    throw storeError(`Could not open state file "${path}"`, thrown);
  }
}

/** A million rows take a quarter of a second; a damaged page that is met later would stop counting in the middle. */
function checkContent(database: DatabaseSync, path: string): void {
  const found = database.prepare('PRAGMA integrity_check(1)').get()?.['integrity_check'];
  if (found !== 'ok') throw damage(path, 'it is damaged');
}

/**
 * Makes a state file where there is none, readable by nobody else before anything is written. It appears under its name
 * when it is whole: a crash on the way leaves no empty file that would have to be told from a damaged one.
 * @throws {ExporterError} `store`.
 */
export function makeFile(path: string): void {
  const unfinished = `${path}.new`;
  try {
    checkFiles(path);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    if (!existsSync(unfinished)) closeSync(openSync(unfinished, 'a', 0o600));
    const database = new DatabaseSync(unfinished, { timeout: 0 });
    try {
      database.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL');
      makeSchema(database, path);
    } finally {
      database.close();
    }
    renameSync(unfinished, path);
  } catch (thrown) {
    throw storeError(`Could not make state file "${path}"`, thrown);
  }
}

/** What a file that others could read has left beside it bears its old mode; what SQLite makes from here on has 0600. */
export function makePrivate(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600);
}
