import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  type Stats,
  statSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import type { Log } from '../kernel/log.js';
import { closing } from './database.js';
import { damage, storeError } from './errors.js';
import { checkSchema, migrate, schemaVersion } from './schema.js';
import { storedSeries } from './tables.js';

/** SQLite syncs each commit to the disk before it returns. */
const settings = 'PRAGMA locking_mode = EXCLUSIVE; PRAGMA synchronous = FULL';

/**
 * Opens the state file to commit to: creates it where there is none, migrates an older schema, and starts the
 * write-ahead log. `notice` logs that the file is new or was migrated.
 * @throws {ExporterError} `store`.
 */
export function openForCommits(path: string, notice: Log['info']): DatabaseSync {
  const isNew = !existsSync(path);
  if (isNew) createFile(path);
  const database = openFile(path);
  try {
    // Files that others could read keep their mode; SQLite gives new ones the mode of the first.
    for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600);
    database.exec('PRAGMA journal_mode = WAL');
    const from = migrate(database);
    if (isNew) notice('Created a new state file: nothing is known from before');
    else if (from < schemaVersion) notice('Migrated the state file to a newer schema', { from, to: schemaVersion });
    // Creates the write-ahead log, so that its loss is noticed from here on.
    database.exec('BEGIN IMMEDIATE; COMMIT');
    return database;
  } catch (thrown) {
    database.close();
    throw storeError(`Could not open state file "${path}"`, thrown);
  }
}

/**
 * Opens an existing state file and locks it against every other process. Checks all of it, and changes nothing.
 * @throws {ExporterError} `store` when it is in use, damaged, of another program, or of a newer schema.
 */
export function openFile(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    checkFiles(path);
    closeSync(openSync(path, 'r+'));
    database = new DatabaseSync(path, { readBigInts: true, timeout: 0 });
    database.exec(`${settings}; BEGIN IMMEDIATE; COMMIT`);
    checkContent(database, path);
    return database;
  } catch (thrown) {
    database?.close();
    throw storeError(`Could not open state file "${path}"`, thrown);
  }
}

/** Runs `use` with a file as `openFile` opens it, and closes it. @throws {ExporterError} `store`. */
export const withFile = <T>(path: string, use: (database: DatabaseSync) => T): T =>
  closing(openFile(path), database => {
    try {
      return use(database);
    } catch (thrown) {
      throw storeError(`Could not use state file "${path}"`, thrown);
    }
  });

/**
 * Reads all of a file once to find damage: what is found later would stop counting in the middle.
 * @throws {ExporterError} `store`, or an error for `storeError`.
 */
export function checkContent(database: DatabaseSync, path: string): void {
  checkSchema(database, path);
  // 0.25 s for a million rows.
  const { integrity_check: found } = database.prepare('PRAGMA integrity_check(1)').get() ?? {};
  if (found !== 'ok') throw damage(path, 'it is damaged');
  storedSeries(database);
}

/**
 * Creates a state file that only its owner can read. The file gets its name when it is complete, so that a crash leaves
 * no empty file, which would look damaged.
 * @throws {ExporterError} `store`.
 */
export function createFile(path: string): void {
  const unfinished = `${path}.new`;
  try {
    checkFiles(path);
    makeDirectory(dirname(path));
    if (!existsSync(unfinished)) closeSync(openSync(unfinished, 'a', 0o600));
    closing(new DatabaseSync(unfinished, { timeout: 0 }), database => {
      database.exec(settings);
      migrate(database);
    });
    renameSync(unfinished, path);
  } catch (thrown) {
    throw storeError(`Could not create state file "${path}"`, thrown);
  }
}

/** Creates a directory with its parents; the recursive `mkdir` of Node never ends below `/proc` (24.21). */
export function makeDirectory(path: string): void {
  if (existsSync(path)) return;
  makeDirectory(dirname(path));
  try {
    mkdirSync(path, { mode: 0o700 });
  } catch (cause) {
    const isRefused = Error.isError(cause) && 'code' in cause && cause.code === 'ENOENT';
    throw isRefused ? Object.assign(new Error('no parent', { cause }), { code: 'NOPARENT' }) : cause;
  }
}

/**
 * Finds damage that SQLite ignores: it takes an empty file for a new one, and a write-ahead log with a damaged header
 * for an empty one, which would lose the commits in it.
 * @throws {ExporterError} `store`.
 */
export function checkFiles(path: string): void {
  const wal = `${path}-wal`;
  const stat = statSync(path, { throwIfNoEntry: false });
  if (stat !== undefined && !stat.isFile()) throw Object.assign(new Error('not a file'), { code: kindOf(stat) });
  const [size, walSize = 0] = [stat?.size, sizeOf(wal)];
  if (size === undefined && walSize > 0) throw damage(path, 'it is missing, but its "-wal" file exists');
  if (size === 0) throw damage(path, 'it is empty');
  if (walSize >= walHeaderBytes && !isWalHeader(readFileSync(wal).subarray(0, walHeaderBytes)))
    throw damage(path, 'its "-wal" file is damaged');
}

/** A pipe or device would be taken for an empty file, and opening it may wait. */
const kindOf = (stat: Stats): string => (stat.isDirectory() ? 'EISDIR' : 'ENOTFILE');

/** In bytes; undefined when there is no such file. */
export const sizeOf = (file: string): number | undefined => statSync(file, { throwIfNoEntry: false })?.size;

/** Source: sqlite.org/fileformat2.html, section 4.1. */
const walHeaderBytes = 32;

/** A power cut leaves zeros in a log to which nothing was committed yet. */
function isWalHeader(header: Buffer): boolean {
  if (header.every(byte => byte === 0)) return true;
  const magic = header.readUInt32BE(0);
  if (magic !== 0x377f0682 && magic !== 0x377f0683) return false;
  const word = (at: number): number => (magic % 2 === 1 ? header.readUInt32BE(at) : header.readUInt32LE(at));
  let [first, second] = [0, 0];
  for (let at = 0; at < walHeaderBytes - 8; at += 8) {
    first = (first + word(at) + second) >>> 0;
    second = (second + word(at + 4) + first) >>> 0;
  }
  return header.readUInt32BE(24) === first && header.readUInt32BE(28) === second;
}
