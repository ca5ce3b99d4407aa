import type { DatabaseSync, SQLInputValue, SQLOutputValue, StatementSync } from 'node:sqlite';
import type { Nanos } from '../model/time.js';
import {
  type CursorRow,
  factNames,
  type Series,
  type SeriesDelta,
  type ServerState,
  type SinkName,
  sinkNames,
  type StateChange,
} from '../pipeline/ports.js';
import { fold, seriesKey } from '../pipeline/series.js';
import { deadLetterTable } from './schema.js';

type Columns = Readonly<Record<string, SQLOutputValue>>;

const noChange = { moves: [], since: {}, facts: {}, rows: [], deltas: [], deadLetters: [] } as const;

/** The tables of a state file in the types of the port. Synchronous; `apply` must run in a transaction. */
export class Tables {
  readonly #database: DatabaseSync;
  readonly #statements = new Map<string, StatementSync>();
  /** By table. */
  readonly #upserts = new Map<string, StatementSync>();

  constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Sinks and facts that this version does not know are left out. */
  state(server: string): ServerState {
    const since = this.#all('SELECT sink, at FROM since WHERE server = ?', server);
    const facts = this.#all('SELECT name, value FROM fact WHERE server = ?', server);
    return {
      since: Object.fromEntries(since.flatMap(({ sink, at }) => (isOf(sinkNames, sink) ? [[sink, integer(at)]] : []))),
      facts: Object.fromEntries(
        facts.flatMap(({ name, value }) => (isOf(factNames, name) ? [[name, text(value)]] : [])),
      ),
    };
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

  series(): readonly Series[] {
    return readStoredSeries(this.#database);
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
    const held = series.kind === 'counter' ? (series.held ?? 0n) : 0n;
    this.#put('series', { key, kind: series.kind, value: writeValue(series), held: String(held) });
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

/** Reads every series of a file of any schema. @throws {SyntaxError} when one is not as it was written. */
export const readStoredSeries = (database: DatabaseSync): readonly Series[] =>
  database
    .prepare('SELECT * FROM series')
    .all()
    .map(columns => {
      const key: unknown = JSON.parse(text(columns['key']));
      if (!Array.isArray(key) || !key.every(part => typeof part === 'string')) throw new SyntaxError('not a key');
      const [family = '', ...labels] = key;
      return readSeries(family, labels, columns);
    });

const rowColumns = 'sink, session, created_at, done, cursor';

/** Rows of a sink that this version does not know are left out. */
function readRow({ sink, session, created_at: createdAt, done, cursor }: Columns): readonly CursorRow[] {
  if (!isOf(sinkNames, sink)) return [];
  return [{ sink, session: text(session), createdAt: integer(createdAt), done: done === 1n, cursor: text(cursor) }];
}

/** Numbers as text, exact at any size: `7`, or `sum;count,count,...` for a histogram. */
function writeValue(series: Series): string {
  if (series.kind === 'counter') return String(series.value);
  if (series.kind === 'latest') return String(series.at);
  return `${String(series.sumTicks)};${series.counts.join(',')}`;
}

function readSeries(family: string, labels: readonly string[], { kind, value, held }: Columns): Series {
  // A file of the first schema has no such column.
  const heldPart = held === undefined || held === '0' ? {} : { held: number(text(held)) };
  if (kind === 'counter') return { family, labels, kind, value: number(text(value)), ...heldPart };
  if (kind === 'latest') return { family, labels, kind, at: number(text(value)) };
  const [sum = '', counts = ''] = text(value).split(';');
  return { family, labels, kind: 'histogram', sumTicks: number(sum), counts: counts.split(',').map(number) };
}

/** `BigInt` takes an empty text for 0. */
function number(digits: string): bigint {
  if (digits === '') throw new SyntaxError('not a number');
  return BigInt(digits);
}

const isOf = <Name extends string>(names: readonly Name[], value: SQLOutputValue | undefined): value is Name =>
  names.some(name => name === value);
const text = (value: SQLOutputValue | undefined): string => (typeof value === 'string' ? value : '');
const integer = (value: SQLOutputValue | undefined): bigint => (typeof value === 'bigint' ? value : 0n);

/** An integer column holds the years 1677 to 2262; a server's clock may say anything. */
const limit = 2n ** 63n - 1n;
const clamp = (at: Nanos): Nanos => (at > limit ? limit : at < -limit ? -limit : at);
