import { accessSync, closeSync, constants, existsSync, openSync, readSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { damage, storeError } from './failure.js';
import { applicationId, checkTables, checkVersion } from './schema.js';
import { checkFiles } from './wal.js';

/** What can be told of a state file without opening it as a database. */
export type PreflightResult = Readonly<{
  /** Undefined where there is no file yet, and one can be made. */
  file:
    | Readonly<{ schema: number; sizeBytes: number; /** Others than its owner may read it. */ shared: boolean }>
    | undefined;
  /** Left on its file system for us. */
  freeBytes: number;
}>;

/** Where SQLite's file header holds what we look for. Source: sqlite.org/fileformat.html, 1.3. */
const header = { bytes: 100, magic: 'SQLite format 3\0', schemaAt: 60, applicationAt: 68 } as const;

/**
 * Looks at a state file, or at the place for one, and changes nothing: no lock is taken, so that an exporter that runs
 * with it, or is just starting, is not disturbed. It says nothing of the content.
 * @throws {ExporterError} `store` when the exporter could not use it.
 */
export function preflight(path: string): PreflightResult {
  try {
    checkFiles(path);
    const place = existsSync(path) ? dirname(path) : nearest(dirname(resolve(path)));
    accessSync(place, constants.W_OK | constants.X_OK);
    const { bavail, bsize } = statfsSync(place);
    const freeBytes = bavail * bsize;
    return { file: existsSync(path) ? headOf(path) : undefined, freeBytes };
  } catch (thrown) {
    throw storeError(`Could not use state file "${path}"`, thrown);
  }
}

/** The directory, or the one above it that is there: what is missing is made at the start. */
function nearest(directory: string): string {
  if (!existsSync(directory)) return nearest(dirname(directory));
  if (statSync(directory).isDirectory()) return directory;
  throw Object.assign(new Error('a part of its path is no directory'), { code: 'ENOTDIR' });
}

function headOf(path: string): PreflightResult['file'] {
  accessSync(path, constants.R_OK | constants.W_OK);
  const { size, mode } = statSync(path);
  const head = Buffer.alloc(header.bytes);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, head, 0, header.bytes, 0);
  } finally {
    closeSync(descriptor);
  }
  const isOurs =
    head.toString('latin1', 0, 16) === header.magic && head.readInt32BE(header.applicationAt) === applicationId;
  if (!isOurs) throw damage(path, 'it is no state file, or damaged');
  const schema = head.readInt32BE(header.schemaAt);
  checkVersion(schema, path);
  if (!hasLog(path)) checkTablesOf(path, schema);
  return { schema, sizeBytes: size, shared: (mode & 0o077) !== 0 };
}

/** Whether a write-ahead log holds what the file itself may lack: an exporter runs with it, or was killed. */
const hasLog = (path: string): boolean => existsSync(`${path}-wal`) && statSync(`${path}-wal`).size > 0;

/** Reads the schema without a lock. @throws {ExporterError} `store` when a part of it is missing. */
function checkTablesOf(path: string, version: number): void {
  const url = pathToFileURL(resolve(path));
  url.search = '?immutable=1';
  const database = new DatabaseSync(url, { readOnly: true });
  try {
    checkTables(database, version, path);
  } finally {
    database.close();
  }
}
