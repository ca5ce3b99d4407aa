import { statSync } from 'node:fs';
import type { DatabaseSync } from 'node:sqlite';
import { formatInstant } from '../model/time.js';
import { type factNames, type SinkName, sinkNames } from '../pipeline/ports.js';
import { transaction } from './database.js';
import { withFile } from './open.js';
import { deadLetterTable, schemaOf } from './schema.js';

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
    const known = new Set([
      ...serverTables(database).flatMap(table => names(database, `SELECT DISTINCT server AS name FROM ${table}`)),
      ...names(database, "SELECT DISTINCT json_extract(key, '$[1]') AS name FROM series"),
    ]);
    const servers = Array.from(known, name => contentsOf(database, name)).sort(byName);
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
    return transaction(database, () => {
      const sessions = removeFrom('session');
      const others = serverTables(database).reduce((sum, table) => sum + removeFrom(table), 0);
      return { sessions, series: remove("series WHERE json_extract(key, '$[1]') = ?", server), others };
    });
  });

/** Tables with a column `server`. */
const serverTables = (database: DatabaseSync): readonly string[] =>
  names(
    database,
    "SELECT t.name FROM sqlite_schema AS t, pragma_table_info(t.name) AS c WHERE t.type = 'table' AND c.name = 'server'",
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
  const rows = (sql: string) => database.prepare(sql).all(name);
  const facts = tables.includes('fact') ? rows('SELECT name, value FROM fact WHERE server = ?') : [];
  const fact = (wanted: (typeof factNames)[number]): string =>
    String(facts.find(row => row['name'] === wanted)?.['value'] ?? '');
  const since = rows('SELECT sink, at FROM since WHERE server = ?');
  return {
    server,
    installationId: fact('installationId'),
    apiVersion: fact('apiVersion'),
    archived: installation !== undefined,
    since: Object.fromEntries(since.map(({ sink, at }) => [String(sink), formatInstant(BigInt(String(at)))])),
    sessions: Object.fromEntries(sinkNames.map(sink => [sink, sessionsOf(sink)])),
    series: count("series WHERE json_extract(key, '$[1]') = ?"),
    deadLetters: tables.includes(deadLetterTable) ? count(`${deadLetterTable} WHERE server = ?`) : 0,
  };
}

/** The column `name` of each row, where it is text. */
const names = (database: DatabaseSync, sql: string): readonly string[] =>
  database
    .prepare(sql)
    .all()
    .map(({ name }) => name)
    .filter(name => typeof name === 'string');
