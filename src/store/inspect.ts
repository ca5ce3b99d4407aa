import { statSync } from 'node:fs';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { formatInstant } from '../model/time.js';
import { type SinkName, sinkNames } from '../pipeline/ports.js';
import { openFile } from './open.js';
import { schemaOf } from './schema.js';

/** The content of a state file in numbers, without names of persons or organizations. */
export type Contents = Readonly<{
  schema: number;
  sizeBytes: number;
  /** By name; archived entries follow the current one. */
  servers: readonly ServerContents[];
}>;

export type ServerContents = Readonly<{
  server: string;
  /** `''` until known. */
  installationId: string;
  apiVersion: string;
  /** Whether this is the state of an earlier installation under the name. */
  archived: boolean;
  /** RFC 3339. */
  since: Readonly<Partial<Record<SinkName, string>>>;
  sessions: Readonly<Partial<Record<SinkName, Readonly<{ pending: number; done: number }>>>>;
  /** Counters and histograms. They belong to the name, across installations. */
  series: number;
  /** Records that a receiver rejected for good. */
  deadLetters: number;
}>;

/**
 * Reads a state file of any known schema and changes nothing.
 * @throws {ExporterError} `store` when it cannot be used, or is in use.
 */
export const inspect = (path: string): Contents =>
  withFile(path, database => {
    const names = new Set([
      ...serverTables(database).flatMap(table => column(database, `SELECT DISTINCT server FROM ${table}`)),
      ...column(database, "SELECT DISTINCT json_extract(key, '$[1]') FROM series"),
    ]);
    const servers = [...names].map(name => contentsOf(database, name)).sort(byName);
    return { schema: schemaOf(database), sizeBytes: statSync(path).size, servers };
  });

const byName = (a: ServerContents, b: ServerContents): number =>
  a.server === b.server ? Number(a.archived) - Number(b.archived) : a.server < b.server ? -1 : 1;

/** Numbers of removed rows. */
export type Removed = Readonly<{ sessions: number; series: number; others: number }>;

/**
 * Removes everything stored under a server's name, of every installation, with its counters.
 * @throws {ExporterError} `store` when the file cannot be used, or is in use.
 */
export const forget = (path: string, server: string): Removed =>
  withFile(path, database => {
    const remove = (from: string, ...values: readonly string[]): number =>
      Number(database.prepare(`DELETE FROM ${from}`).run(...values).changes);
    const removeFrom = (table: string): number =>
      remove(`${table} WHERE server = ? OR substr(server, 1, length(?) + 1) = ? || '@'`, server, server, server);
    database.exec('BEGIN IMMEDIATE');
    const sessions = removeFrom('session');
    const others = serverTables(database).reduce((sum, table) => sum + removeFrom(table), 0);
    const series = remove("series WHERE json_extract(key, '$[1]') = ?", server);
    database.exec('COMMIT');
    return { sessions, series, others };
  });

function withFile<T>(path: string, use: (database: DatabaseSync) => T): T {
  const database = openFile(path);
  try {
    return use(database);
  } finally {
    database.close();
  }
}

/** Tables with a column `server`. */
const serverTables = (database: DatabaseSync): readonly string[] =>
  column(
    database,
    `SELECT name FROM sqlite_schema WHERE type = 'table'
       AND EXISTS (SELECT 1 FROM pragma_table_info(sqlite_schema.name) AS info WHERE info.name = 'server')`,
  );

function contentsOf(database: DatabaseSync, name: string): ServerContents {
  const tables = serverTables(database);
  const count = (from: string, ...values: readonly string[]): number =>
    Number(database.prepare(`SELECT count(*) AS count FROM ${from}`).get(name, ...values)?.['count']);
  const sessionsOf = (sink: SinkName): Readonly<{ pending: number; done: number }> => {
    const done = count('session WHERE server = ? AND sink = ? AND done = 1', sink);
    return { pending: count('session WHERE server = ? AND sink = ?', sink) - done, done };
  };
  const [server = '', installation] = name.split('@');
  const facts = tables.includes('fact') ? pairs(database, 'SELECT name, value FROM fact WHERE server = ?', name) : [];
  const since = pairs(database, 'SELECT sink, at FROM since WHERE server = ?', name);
  return {
    server,
    installationId: String(new Map(facts).get('installationId') ?? ''),
    apiVersion: String(new Map(facts).get('apiVersion') ?? ''),
    archived: installation !== undefined,
    since: Object.fromEntries(since.map(([sink, at]) => [sink, formatInstant(BigInt(String(at)))])),
    sessions: Object.fromEntries(sinkNames.map(sink => [sink, sessionsOf(sink)])),
    series: count("series WHERE json_extract(key, '$[1]') = ?"),
    deadLetters: tables.includes('set_aside') ? count('set_aside WHERE server = ?') : 0,
  };
}

/** The rows of two columns. */
const pairs = (database: DatabaseSync, sql: string, name: string): readonly [string, SQLOutputValue][] =>
  database
    .prepare(sql)
    .all(name)
    .map(row => Object.values<SQLOutputValue>(row))
    .map(([key, value = null]) => [String(key), value]);

/** The first column of each row, where it is text. */
const column = (database: DatabaseSync, sql: string): readonly string[] =>
  database
    .prepare(sql)
    .all()
    .flatMap(row => Object.values<SQLOutputValue>(row).slice(0, 1))
    .flatMap(value => (typeof value === 'string' ? [value] : []));
