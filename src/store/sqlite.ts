import { chmodSync, closeSync, existsSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { ExporterError } from '../kernel/errors.js';
import type { Change, Row, ServerState, Store } from '../pipeline/ports.js';
import { prepareSchema } from './schema.js';
import { sqliteTables, type Tables } from './tables.js';

/**
 * The store in a file: SQLite, WAL, every commit on the disk before it returns, because a counter that a power cut
 * rolls back reads as a reset. Mode 0600; one process at a time.
 * @throws {ExporterError} `store` when the file cannot be used; it is never replaced by an empty one.
 */
export async function sqliteStore({ path }: Readonly<{ path: string }>): Promise<Store> {
  const database = open(path);
  const tables = sqliteTables(database);
  let isOpen = true;
  const attempt = async <T>(what: string, action: () => T): Promise<T> => {
    try {
      return action();
    } catch (thrown) {
      throw storeError(`Could not ${what} state file "${path}"`, thrown);
    }
  };
  return {
    state: async server => attempt('read', () => ({ since: tables.since(server), facts: tables.facts(server) })),
    rows: async (server, sessions) => attempt('read', () => tables.rows(server, sessions)),
    pending: async (server, sink) => attempt('read', () => tables.pending(server, sink)),
    series: async () => attempt('read', () => tables.series()),
    aside: async server => attempt('read', () => tables.aside(server)),
    commit: async change => attempt('write', () => commit(database, tables, change)),
    close: async () =>
      attempt('close', () => {
        if (isOpen) database.close();
        isOpen = false;
      }),
  };
}

function commit(database: DatabaseSync, tables: Tables, change: Change): void {
  const { server, since = {}, facts = {}, rows = [], deltas = [], setAside = [] } = change;
  const parts = [Object.keys(since), Object.keys(facts), rows, deltas, setAside];
  if (parts.every(({ length }) => length === 0)) return;
  database.exec('BEGIN IMMEDIATE');
  try {
    tables.setSince(server, storableSince(since));
    tables.setFacts(server, facts);
    for (const row of rows) tables.putRow(server, storable(row));
    tables.add(deltas);
    for (const one of setAside) tables.putSetAside(server, { ...one, at: clamp(one.at) });
    database.exec('COMMIT');
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
}

/** Instants of a mad clock are kept within what an integer column holds: years 1677 to 2262. */
const storable = (row: Row): Row => ({ ...row, createdAt: clamp(row.createdAt) });
const storableSince = (since: ServerState['since']): ServerState['since'] =>
  Object.fromEntries(Object.entries(since).map(([sink, at]) => [sink, clamp(at)]));
const limit = 2n ** 63n - 1n;
const clamp = (value: bigint): bigint => (value > limit ? limit : value < -limit ? -limit : value);

/** Changes nothing of a file, its mode included, before it is known to be ours. */
function open(path: string): DatabaseSync {
  let database: DatabaseSync | undefined;
  try {
    makeFile(path);
    database = new DatabaseSync(path, { readBigInts: true, timeout: 0 });
    database.exec('PRAGMA locking_mode = EXCLUSIVE; BEGIN IMMEDIATE; COMMIT');
    prepareSchema(database, path);
    makePrivate(path);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    return database;
  } catch (thrown) {
    database?.close();
    throw storeError(`Could not open state file "${path}"`, thrown);
  }
}

/** A file that we make is readable by nobody else before anything is written. */
function makeFile(path: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
  if (!existsSync(path)) closeSync(openSync(path, 'a', 0o600));
}

/** What a file that others could read has left beside it bears its old mode; what SQLite makes from here on has 0600. */
function makePrivate(path: string): void {
  for (const file of [path, `${path}-wal`, `${path}-shm`]) if (existsSync(file)) chmodSync(file, 0o600);
}

/** SQLite's primary result codes that call for words of ours. Source: sqlite.org/rescode.html. */
const advice: Readonly<Record<number, string>> = {
  5: 'it is in use by another process',
  8: 'it is read-only',
  11: 'it is damaged; move it away to start afresh, or bring back a copy of it',
  13: 'the disk is full',
  26: 'it is no state file, or damaged; move it away to start afresh',
};

function storeError(what: string, thrown: unknown): ExporterError {
  if (thrown instanceof ExporterError) return thrown;
  return new ExporterError('store', `${what}: ${why(thrown)}`, { cause: thrown });
}

function why(thrown: unknown): string {
  const code = typeof thrown === 'object' && thrown !== null && 'errcode' in thrown ? Number(thrown.errcode) % 256 : 0;
  return advice[code] ?? (thrown instanceof Error ? thrown.message : String(thrown));
}
