import {
  accessSync,
  closeSync,
  constants,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readSync,
  rmdirSync,
  rmSync,
  statfsSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { pathToFileURL } from 'node:url';
import { closing } from './database.js';
import { damage, storeError } from './errors.js';
import { checkContent, checkFiles, makeDirectory, sizeOf } from './open.js';
import { applicationId, checkVersion, otherProgram } from './schema.js';

/** Facts about a state file that do not need the lock on it. */
type PreflightResult = Readonly<{
  /** Undefined where there is no file yet, and one can be created. */
  file:
    | Readonly<{ schema: number; sizeBytes: number; /** Others than its owner may read it. */ shared: boolean }>
    | undefined;
  /** Free space for this user on its file system. */
  freeBytes: number;
}>;

/** Offsets in SQLite's file header. Source: sqlite.org/fileformat.html, 1.3. */
const header = { bytes: 100, magic: 'SQLite format 3\0', schemaAt: 60, applicationAt: 68 } as const;

/**
 * Checks a state file, or the place for one, without changing or locking it, so that it does not disturb a running
 * exporter. Where a write-ahead log is part of it, it reads a copy.
 * @throws {ExporterError} `store` when the exporter could not use it.
 */
export function preflight(path: string): PreflightResult {
  try {
    checkFiles(path);
    const isThere = existsSync(path);
    const directory = isThere ? dirname(path) : existingParent(dirname(resolve(path)));
    accessSync(directory, constants.W_OK | constants.X_OK);
    if (!isThere) tryDirectory(directory);
    const { bavail, bsize } = statfsSync(directory);
    return { file: isThere ? readHeader(path) : undefined, freeBytes: bavail * bsize };
  } catch (thrown) {
    throw storeError(`Could not use state file "${path}"`, thrown);
  }
}

/** The directory, or its nearest parent that exists: the exporter creates the rest when it starts. */
function existingParent(directory: string): string {
  if (!existsSync(directory)) return existingParent(dirname(directory));
  if (statSync(directory).isDirectory()) return directory;
  throw Object.assign(new Error('not a directory'), { code: 'ENOTDIR' });
}

/** Creates a directory and removes it: only so can it be seen whether something can be created there. */
function tryDirectory(parent: string): void {
  const trial = join(parent, `.vb365-exporter-${String(process.pid)}`);
  makeDirectory(trial);
  rmdirSync(trial);
}

function readHeader(path: string): PreflightResult['file'] {
  accessSync(path, constants.R_OK | constants.W_OK);
  const { size, mode } = statSync(path);
  const head = Buffer.alloc(header.bytes);
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, head, 0, header.bytes, 0);
  } finally {
    closeSync(descriptor);
  }
  if (head.toString('latin1', 0, 16) !== header.magic) throw damage(path, 'it is not a state file, or it is damaged');
  // A write-ahead log holds what the file itself may lack: an exporter runs with it, or was killed.
  if ((sizeOf(`${path}-wal`) ?? 0) === 0) readUnlocked(path);
  else readCopy(path);
  if (head.readInt32BE(header.applicationAt) !== applicationId) throw otherProgram(path);
  const schema = head.readInt32BE(header.schemaAt);
  checkVersion(schema, path);
  return { schema, sizeBytes: size, shared: (mode & 0o077) !== 0 };
}

/** A larger file is not copied. */
const longestCopyBytes = 512 * 1024 * 1024;

/**
 * Checks the content with that of the write-ahead log, in a copy that nobody else can read. Reads nothing when the files
 * are too large for that, or when an exporter changes them, because it has checked them.
 * @throws {ExporterError} `store`, or an error for `storeError`.
 */
function readCopy(path: string): void {
  const files = [path, `${path}-wal`];
  const stats = (): string => files.map(file => [statSync(file).size, statSync(file).mtimeMs].join(' ')).join();
  const bytes = files.reduce((sum, file) => sum + statSync(file).size, 0);
  const { bavail, bsize } = statfsSync(tmpdir());
  if (bytes > longestCopyBytes || bytes > bavail * bsize) return;
  const folder = mkdtempSync(join(tmpdir(), 'vb365-exporter-'));
  try {
    const before = stats();
    const copy = join(folder, 'state.db');
    copyFileSync(path, copy);
    copyFileSync(`${path}-wal`, `${copy}-wal`);
    if (stats() !== before) return;
    closing(new DatabaseSync(copy, { readBigInts: true }), database => checkContent(database, path));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Checks the content without a lock. @throws {ExporterError} `store`, or an error for `storeError`. */
function readUnlocked(path: string): void {
  const url = pathToFileURL(resolve(path));
  url.search = '?immutable=1';
  closing(new DatabaseSync(url, { readOnly: true, readBigInts: true }), database => checkContent(database, path));
}
