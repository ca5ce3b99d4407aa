import { existsSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import type { StateChange, CursorRow, ServerState, Store } from '../pipeline/ports.js';
import { storeError } from './failure.js';
import { makeFile, makePrivate, openFile } from './open.js';
import { type Place, watchPlace } from './place.js';
import { makeSchema, schemaVersion } from './schema.js';
import { sqliteTables, type Tables } from './tables.js';

/** Told of what a person should know about the file; one sentence. */
type Notice = (message: string) => void;

/**
 * The store in a file: SQLite, WAL, every commit on the disk before it returns, because a counter that a power cut
 * rolls back reads as a reset. Mode 0600; one process at a time. A file that is deleted or replaced while it is open
 * fails everything from then on.
 * @throws {ExporterError} `store` when the file cannot be used; it is never replaced by an empty one.
 */
export async function sqliteStore(options: Readonly<{ path: string; notice?: Notice }>): Promise<Store> {
  const { path, notice = () => undefined } = options;
  const database = open(path, notice);
  const tables = sqliteTables(database);
  const place = watchPlace(path);
  place.note();
  let isOpen = true;
  const attempt = async <T>(what: string, action: () => T): Promise<T> => {
    try {
      return action();
    } catch (thrown) {
      throw storeError(`Could not ${what} state file "${path}"`, thrown);
    }
  };
  const read = async <T>(action: () => T): Promise<T> =>
    attempt('read', () => {
      place.check();
      return action();
    });
  return {
    state: async server => read(() => ({ since: tables.since(server), facts: tables.facts(server) })),
    rows: async (server, sessions) => read(() => tables.rows(server, sessions)),
    pending: async (server, sink) => read(() => tables.pending(server, sink)),
    holders: async installationId => read(() => tables.holders(installationId)),
    series: async () => read(() => tables.series()),
    deadLetters: async server => read(() => tables.deadLetters(server)),
    commit: async change => attempt('write', () => commit({ database, tables, place }, change)),
    close: async () =>
      attempt('close', () => {
        if (isOpen) database.close();
        isOpen = false;
      }),
  };
}

type Parts = Readonly<{ database: DatabaseSync; tables: Tables; place: Place }>;

function commit(parts: Parts, change: StateChange): void {
  const { moves = [], since = {}, facts = {}, rows = [], deltas = [], deadLetters = [] } = change;
  const lists = [moves, Object.keys(since), Object.keys(facts), rows, deltas, deadLetters];
  if (lists.every(({ length }) => length === 0)) return;
  const { database, tables, place } = parts;
  database.exec('BEGIN IMMEDIATE');
  try {
    write(tables, { ...change, moves, since, facts, rows, deltas, deadLetters });
    // Last of all: what is committed after this look is in the file, or the next commit tells.
    place.check();
    database.exec('COMMIT');
  } catch (thrown) {
    if (database.isTransaction) database.exec('ROLLBACK');
    throw thrown;
  }
  place.note();
}

function write(tables: Tables, change: Required<StateChange>): void {
  const { server, moves, since, facts, rows, deltas, deadLetters } = change;
  for (const move of moves) tables.move(move);
  tables.setSince(server, storableSince(since));
  tables.setFacts(server, facts);
  for (const row of rows) tables.putRow(server, storable(row));
  tables.add(deltas);
  for (const one of deadLetters) tables.putSetAside(server, { ...one, at: clamp(one.at) });
}

/** Instants of a mad clock are kept within what an integer column holds: years 1677 to 2262. */
const storable = (row: CursorRow): CursorRow => ({ ...row, createdAt: clamp(row.createdAt) });
const storableSince = (since: ServerState['since']): ServerState['since'] =>
  Object.fromEntries(Object.entries(since).map(([sink, at]) => [sink, clamp(at)]));
const limit = 2n ** 63n - 1n;
const clamp = (value: bigint): bigint => (value > limit ? limit : value < -limit ? -limit : value);

function open(path: string, notice: Notice): DatabaseSync {
  const isNew = !existsSync(path);
  if (isNew) makeFile(path);
  const database = openFile(path);
  try {
    makePrivate(path);
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL');
    const from = makeSchema(database, path);
    if (isNew) notice('Made a new state file: nothing is remembered from before');
    else if (from < schemaVersion)
      notice(`Brought the state file from schema ${String(from)} to ${String(schemaVersion)}`);
    // Makes the write-ahead log, so that from here on its loss is noticed.
    database.exec('BEGIN IMMEDIATE; COMMIT');
    return database;
  } catch (thrown) {
    database.close();
    throw storeError(`Could not open state file "${path}"`, thrown);
  }
}
