import { createHash } from 'node:crypto';
import {
  type CursorRow,
  type Series,
  type SeriesDelta,
  type ServerState,
  type SinkName,
  type StateChange,
} from '../../pipeline/ports.js';
import { fold, seriesKey } from '../../pipeline/series.js';
import {
  clamp,
  noChange,
  readDeadLetter,
  readRow,
  readState,
  readStoredSeries,
  type StoredDeadLetter,
  writeHeld,
  writeValue,
} from '../encoding.js';
import { deadLetterTable } from '../schema.js';
import type { RunSql, ResultRow } from './pool.js';
import { schemaName } from './schema.js';

/** The tables of the state in the types of the port. A change must run in one transaction. */
export class PostgresqlTables {
  readonly #query: RunSql;

  constructor(query: RunSql) {
    this.#query = query;
  }

  async state(server: string): Promise<ServerState> {
    const since = await this.#query(`SELECT sink, at::text AS at FROM ${table('since')} WHERE server = $1`, [server]);
    const facts = await this.#query(`SELECT name, value FROM ${table('fact')} WHERE server = $1`, [server]);
    return readState(since, facts);
  }

  async rows(server: string, sessions: readonly string[]): Promise<readonly CursorRow[]> {
    // Most lists of an idle server are empty.
    if (sessions.length === 0) return [];
    const sql = `SELECT ${rowColumns} FROM ${table('session')} WHERE server = $1 AND session = ANY($2::text[])`;
    return (await this.#query(sql, [server, [...new Set(sessions)]])).flatMap(readRow);
  }

  async pending(server: string, sink: SinkName): Promise<readonly CursorRow[]> {
    const sql = `SELECT ${rowColumns} FROM ${table('session')} WHERE server = $1 AND sink = $2 AND NOT done`;
    return (await this.#query(sql, [server, sink])).flatMap(readRow);
  }

  async holders(installationId: string): Promise<readonly string[]> {
    const sql = `SELECT server FROM ${table('fact')} WHERE name = 'installationId' AND value = $1`;
    return (await this.#query(sql, [installationId])).map(({ server }) => String(server));
  }

  async deadLetters(server: string): Promise<readonly StoredDeadLetter[]> {
    const sql = `SELECT sink, session, event, reason FROM ${table(deadLetterTable)} WHERE server = $1`;
    return (await this.#query(sql, [server])).map(readDeadLetter);
  }

  /** All series, or those whose first label is one of these servers. */
  async series(servers?: readonly string[]): Promise<readonly Series[]> {
    const sql = `SELECT key, kind, value, held FROM ${table('series')}`;
    const rows = servers ? this.#query(`${sql} WHERE server = ANY($1::text[])`, [servers]) : this.#query(sql);
    return readStoredSeries(await rows);
  }

  async apply(change: StateChange): Promise<void> {
    const complete: Required<StateChange> = { ...noChange, ...change };
    const { server, moves, since, facts, rows, deltas, deadLetters } = complete;
    for (const move of moves) await this.#move(move);
    await this.put(
      'since',
      Object.entries(since).map(([sink, at]) => ({ server, sink, at: clamp(at) })),
    );
    await this.put(
      'fact',
      Object.entries(facts).map(([name, value]) => ({ server, name, value })),
    );
    await this.put(
      'session',
      rows.map(({ createdAt, ...row }) => ({ server, ...row, created_at: clamp(createdAt) })),
    );
    await this.#add(deltas);
    const letters = deadLetters.map(letter => ({ ...letter, server, at: clamp(letter.at) }));
    await this.put(deadLetterTable, letters);
  }

  async #move({ from, to }: Readonly<{ from: string; to: string }>): Promise<void> {
    if (from === to) return;
    for (const [name, { key }] of Object.entries(tables)) {
      if (name === 'series') continue;
      const isSame = key.filter(column => column !== 'server').map(column => `other.${column} = mine.${column}`);
      await this.#query(
        `DELETE FROM ${table(name)} AS other USING ${table(name)} AS mine WHERE other.server = $2 AND mine.server = $1 AND ${isSame.join(' AND ')}`,
        [from, to],
      );
      await this.#query(`UPDATE ${table(name)} SET server = $2 WHERE server = $1`, [from, to]);
    }
  }

  /** Nobody else changes these series: the commit has locked the lease of their server. */
  async #add(deltas: readonly SeriesDelta[]): Promise<void> {
    if (deltas.length === 0) return;
    const ids = new Map(deltas.map(delta => [seriesKey(delta), seriesId(delta)]));
    const sql = `SELECT key, kind, value, held FROM ${table('series')} WHERE id = ANY($1::text[])`;
    const stored = readStoredSeries(await this.#query(sql, [[...ids.values()]]));
    const sums = new Map(stored.map(series => [seriesKey(series), series]));
    for (const delta of deltas) sums.set(seriesKey(delta), fold(sums.get(seriesKey(delta)), delta));
    await this.putSeries([...sums.values()]);
  }

  /** Adds or replaces series as they are. */
  async putSeries(series: readonly Series[]): Promise<void> {
    const rows = series.map(one => ({
      id: seriesId(one),
      server: one.labels[0] ?? '',
      key: seriesKey(one),
      kind: one.kind,
      value: writeValue(one),
      held: writeHeld(one),
    }));
    await this.put('series', rows);
  }

  /** Adds or replaces rows in one statement; of rows with the same key the last one counts. */
  async put(name: TableName, rows: readonly ResultRow[]): Promise<void> {
    if (rows.length === 0) return;
    const { key, columns } = tables[name];
    const last = new Map(rows.map(row => [JSON.stringify(key.map(column => row[column])), row]));
    const entries = Object.entries(columns);
    const values = entries.map(([column]) => Array.from(last.values(), row => valueOf(row[column])));
    const names = entries.map(([column]) => column).join(', ');
    const arrays = entries.map(([, type], index) => `$${String(index + 1)}::${type}[]`).join(', ');
    const replaced = entries.map(([column]) => `${column} = excluded.${column}`).join(', ');
    await this.#query(
      `INSERT INTO ${table(name)} (${names}) SELECT * FROM unnest(${arrays}) ON CONFLICT (${key.join(', ')}) DO UPDATE SET ${replaced}`,
      values,
    );
  }
}

const text = 'text';
/** The primary key and the column types of each table. */
const tables = {
  since: { key: ['server', 'sink'], columns: { server: text, sink: text, at: 'bigint' } },
  fact: { key: ['server', 'name'], columns: { server: text, name: text, value: text } },
  session: {
    key: ['server', 'session', 'sink'],
    columns: { server: text, session: text, sink: text, created_at: 'bigint', done: 'boolean', cursor: text },
  },
  series: { key: ['id'], columns: { id: text, server: text, key: text, kind: text, value: text, held: text } },
  [deadLetterTable]: {
    key: ['server', 'sink', 'session', 'event'],
    columns: { server: text, sink: text, session: text, event: text, reason: text, at: 'bigint' },
  },
} as const satisfies Readonly<
  Record<string, Readonly<{ key: readonly string[]; columns: Readonly<Record<string, string>> }>>
>;

export type TableName = keyof typeof tables;
export const tableNames: readonly TableName[] = ['since', 'fact', 'session', 'series', deadLetterTable];
export const columnsOf = (name: TableName): readonly string[] => Object.keys(tables[name].columns);

const table = (name: string): string => `${schemaName}.${name}`;

const rowColumns = 'sink, session, created_at::text AS created_at, done, cursor';

/** PostgreSQL has no text with a NUL. */
const valueOf = (value: unknown): unknown =>
  typeof value === 'bigint' ? String(value) : typeof value === 'string' ? value.replaceAll('\0', '') : value;

const seriesId = (series: Pick<Series, 'family' | 'labels'>): string =>
  createHash('sha256').update(seriesKey(series)).digest('base64');
