import { statSync } from 'node:fs';
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { type FactName, type SinkName, sinkNames } from '../pipeline/ports.js';
import { formatInstant } from '../model/time.js';
import { openFile } from './open.js';
import { schemaOf } from './schema.js';

/** What a state file holds, in numbers and without a name of anybody. */
export type Contents = Readonly<{
  schema: number;
  sizeBytes: number;
  /** By name; behind each what is kept aside of it. */
  servers: readonly ServerContents[];
}>;

export type ServerContents = Readonly<{
  server: string;
  /** `''` where the server has not told. */
  installationId: string;
  apiVersion: string;
  /** What is kept of an installation that the server is no more. */
  aside: boolean;
  /** RFC 3339. */
  since: Readonly<Partial<Record<SinkName, string>>>;
  sessions: Readonly<Partial<Record<SinkName, Readonly<{ pending: number; done: number }>>>>;
  /** Counters and histograms. They belong to the name, whatever installation it is. */
  series: number;
  /** Log records that the receiver refused for good. */
  deadLetters: number;
}>;

/**
 * Reads what is in a state file, of whatever schema up to ours, and changes nothing.
 * @throws {ExporterError} `store` when it cannot be used, or is in use.
 */
export function inspect(path: string): Contents {
  const database = openFile(path);
  try {
    const names = new Set(
      tablesOf(database).flatMap(table => column(database, `SELECT DISTINCT server FROM ${table}`)),
    );
    for (const name of column(database, "SELECT DISTINCT json_extract(key, '$[1]') FROM series")) names.add(name);
    const servers = [...names].map(name => contentsOf(database, name)).sort(byName);
    return { schema: schemaOf(database), sizeBytes: statSync(path).size, servers };
  } finally {
    database.close();
  }
}

const byName = (a: ServerContents, b: ServerContents): number =>
  a.server === b.server ? Number(a.aside) - Number(b.aside) : a.server < b.server ? -1 : 1;

/** What was removed, in rows. */
export type Removed = Readonly<{ sessions: number; series: number; others: number }>;

/**
 * Removes all that is kept under a server's name, of every installation that it has been, its counters included.
 * @throws {ExporterError} `store` when the file cannot be used, or is in use.
 */
export function forget(path: string, server: string): Removed {
  const database = openFile(path);
  try {
    database.exec('PRAGMA synchronous = FULL; BEGIN IMMEDIATE');
    const rows = new Map(
      tablesOf(database).map(table => {
        const where = "server = ? OR substr(server, 1, length(?) + 1) = ? || '@'";
        return [table, remove(database, `${table} WHERE ${where}`, [server, server, server])] as const;
      }),
    );
    const series = remove(database, "series WHERE json_extract(key, '$[1]') = ?", [server]);
    database.exec('COMMIT');
    const sessions = rows.get('session') ?? 0;
    return { sessions, series, others: [...rows.values()].reduce((sum, count) => sum + count, 0) - sessions };
  } finally {
    database.close();
  }
}

const remove = (database: DatabaseSync, from: string, values: readonly string[]): number =>
  Number(database.prepare(`DELETE FROM ${from}`).run(...values).changes);

/** Every table that says something of a server, by its own name for that. */
const tablesOf = (database: DatabaseSync): readonly string[] =>
  column(
    database,
    `SELECT name FROM sqlite_schema WHERE type = 'table'
       AND EXISTS (SELECT 1 FROM pragma_table_info(sqlite_schema.name) AS info WHERE info.name = 'server')`,
  );

function contentsOf(database: DatabaseSync, name: string): ServerContents {
  const [server = '', asideId] = name.split('@');
  const facts = factsOf(database, name);
  return {
    server,
    installationId: facts.installationId ?? '',
    apiVersion: facts.apiVersion ?? '',
    aside: asideId !== undefined,
    since: Object.fromEntries(
      sinkNames.flatMap(sink => {
        const at = database.prepare('SELECT at FROM since WHERE server = ? AND sink = ?').get(name, sink)?.['at'];
        return typeof at === 'bigint' ? [[sink, formatInstant(at)]] : [];
      }),
    ),
    sessions: Object.fromEntries(sinkNames.map(sink => [sink, sessionsOf(database, name, sink)])),
    series: count(database, "series WHERE json_extract(key, '$[1]') = ?", [name]),
    deadLetters: has(database, 'set_aside') ? count(database, 'set_aside WHERE server = ?', [name]) : 0,
  };
}

function sessionsOf(database: DatabaseSync, name: string, sink: SinkName): Readonly<{ pending: number; done: number }> {
  const done = count(database, 'session WHERE server = ? AND sink = ? AND done = 1', [name, sink]);
  return { pending: count(database, 'session WHERE server = ? AND sink = ?', [name, sink]) - done, done };
}

/** Schema 1 has none. */
function factsOf(database: DatabaseSync, name: string): Readonly<Partial<Record<FactName, string>>> {
  if (!has(database, 'fact')) return {};
  const rows = database.prepare('SELECT name, value FROM fact WHERE server = ?').all(name);
  return Object.fromEntries(rows.map(row => [String(row['name']), String(row['value'])]));
}

const has = (database: DatabaseSync, table: string): boolean => tablesOf(database).includes(table);

const count = (database: DatabaseSync, from: string, values: readonly string[]): number =>
  Number(database.prepare(`SELECT count(*) AS count FROM ${from}`).get(...values)?.['count'] ?? 0);

/** The first column of every row, as text. */
const column = (database: DatabaseSync, sql: string): readonly string[] =>
  database
    .prepare(sql)
    .all()
    .flatMap(row => Object.values<SQLOutputValue>(row).slice(0, 1))
    .flatMap(value => (typeof value === 'string' ? [value] : []));
