import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { CursorRow, Series, SeriesDelta, ServerState, SinkName, StateChange } from '../pipeline/ports.js';
import { fold, seriesKey } from '../pipeline/series.js';
import {
  clamp,
  type Columns,
  noChange,
  readDeadLetter,
  readRow,
  readSeries,
  readState,
  readStoredSeries,
  type StoredDeadLetter,
  text,
  writeHeld,
  writeValue,
} from './encoding.js';
import { deadLetterTable } from './schema.js';

/** The tables of a state file in the types of the port. Synchronous; `apply` must run in a transaction. */
export class Tables {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** By table. */
  readonly #upserts = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  state(server: string): ServerState {
    const since = this.#all('SELECT sink, at FROM since WHERE server = ?', server);
    return readState(since, this.#all('SELECT name, value FROM fact WHERE server = ?', server));
  }

  rows(server: string, sessions: readonly string[]): readonly CursorRow[] {
    const sql = `SELECT ${rowColumns} FROM session WHERE server = ? AND session IN (SELECT value FROM json_each(?))`;
    return this.#all(sql, server, JSON.stringify(sessions)).flatMap(readRow);
  }

  pending(server: string, sink: SinkName): readonly CursorRow[] {
    const sql = `SELECT ${rowColumns} FROM session WHERE server = ? AND sink = ? AND done = 0`;
    return this.#all(sql, server, sink).flatMap(readRow);
  }

  holders(installationId: string): readonly string[] {
    const sql = "SELECT server FROM fact WHERE name = 'installationId' AND value = ?";
    return this.#all(sql, installationId).map(({ server }) => text(server));
  }

  deadLetters(server: string): readonly StoredDeadLetter[] {
    return this.#all(`SELECT sink, session, event, reason FROM ${deadLetterTable} WHERE server = ?`, server).map(
      readDeadLetter,
    );
  }

  series(servers?: readonly string[]): readonly Series[] {
    const series = storedSeries(this.#database);
    return servers === undefined ? series : series.filter(({ labels: [server = ''] }) => servers.includes(server));
  }

  apply(change: StateChange): void {
    const complete: Required<StateChange> = { ...noChange, ...change };
    const { server, moves, since, facts, rows, deltas, deadLetters } = complete;
    for (const { from, to } of moves)
      for (const table of ['session', 'since', 'fact', deadLetterTable])
        this.#statement(`UPDATE OR REPLACE ${table} SET server = ? WHERE server = ?`).run(to, from);
    for (const [sink, at] of Object.entries(since)) this.#put('since', { server, sink, at: clamp(at) });
    for (const [name, value] of Object.entries(facts)) this.#put('fact', { server, name, value });
    for (const { sink, session, createdAt, done, cursor } of rows)
      this.#put('session', { server, sink, session, created_at: clamp(createdAt), done: Number(done), cursor });
    for (const delta of deltas) this.#add(delta);
    for (const { sink, session, event, reason, at } of deadLetters)
      this.#put(deadLetterTable, { server, sink, session, event, reason, at: clamp(at) });
  }

  #add(delta: SeriesDelta): void {
    const key = seriesKey(delta);
    const stored = this.#statement('SELECT kind, value, held FROM series WHERE key = ?').get(key);
    const series = fold(stored && readSeries(delta.family, delta.labels, stored), delta);
    this.#put('series', { key, kind: series.kind, value: writeValue(series), held: writeHeld(series) });
  }

  /** Adds or replaces a row, always with the same columns of a table. */
  #put(table: string, row: Readonly<Record<string, SQLInputValue>>): void {
    const statement = this.#upserts.get(table) ?? this.#database.prepare(upsertOf(table, Object.keys(row)));
    this.#upserts.set(table, statement);
    statement.run(...Object.values(row));
  }

  #all(sql: string, ...values: readonly SQLInputValue[]): readonly Columns[] {
    return this.#statement(sql).all(...values);
  }

  #statement(sql: string): StatementSync {
    const statement = this.#statements.get(sql) ?? this.#database.prepare(sql);
    this.#statements.set(sql, statement);
    return statement;
  }
}

const upsertOf = (table: string, columns: readonly string[]): string =>
  `INSERT OR REPLACE INTO ${table} (${columns.join(', ')}) VALUES (${columns.map(() => '?').join(', ')})`;

/** Every series of a file of any schema. @throws {SyntaxError} when one is not as it was written. */
export const storedSeries = (database: DatabaseSync): readonly Series[] =>
  readStoredSeries(database.prepare('SELECT * FROM series').all());

const rowColumns = 'sink, session, created_at, done, cursor';
