import type { PostgresqlConfig } from '../../config/postgresql.js';
import { ExporterError } from '../../kernel/errors.js';
import { formatInstant } from '../../model/time.js';
import { sinkNames } from '../../pipeline/ports.js';
import { text } from '../encoding.js';
import type { Contents, Removed, ServerContents } from '../inspect.js';
import { deadLetterTable } from '../schema.js';
import { inPostgresql } from './examine.js';
import type { ResultRow, RunSql } from './pool.js';
import { schemaName, schemaVersion, versionOf } from './schema.js';
import { tableNames } from './tables.js';

/** For statements over whole tables. */
export const longMs = 60_000;

/** @throws {ExporterError} `store` when there are no tables, or those of another version. */
export async function requireSchema(query: RunSql): Promise<void> {
  const version = await versionOf(query);
  if (version === schemaVersion) return;
  const how = version === 0 ? 'it holds no state yet' : `its schema version is ${String(version)}`;
  throw new ExporterError('store', `Could not use the state in PostgreSQL: ${how}; start the exporter once`);
}

const table = (name: string): string => `${schemaName}.${name}`;

/** The content of the state in numbers. Changes nothing, and replicas can run. @throws {ExporterError} `store`. */
export const inspectPostgresql = async (config: PostgresqlConfig): Promise<Contents> =>
  inPostgresql(
    config,
    'read',
    async query => {
      await requireSchema(query);
      const count = async (name: string, more = ''): Promise<readonly ResultRow[]> =>
        query(`SELECT server, count(*)::integer AS count${more} FROM ${table(name)} GROUP BY server${more}`);
      const [size] = await query(
        'SELECT sum(pg_total_relation_size(oid))::bigint::text AS bytes FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind = $2',
        [schemaName, 'r'],
      );
      const rows: StoredRows = {
        since: await query(`SELECT server, sink, at::text AS at FROM ${table('since')}`),
        facts: await query(`SELECT server, name, value FROM ${table('fact')}`),
        sessions: await count('session', ', sink, done'),
        series: await count('series'),
        deadLetters: await count(deadLetterTable),
      };
      const names = new Set(Object.values(rows).flatMap(list => list.map(({ server }) => String(server))));
      const servers = [...names].toSorted().map(name => contentsOf(name, rows));
      return { schema: schemaVersion, sizeBytes: Number(size?.['bytes']), servers };
    },
    longMs,
  );

type StoredRows = Readonly<Record<'since' | 'facts' | 'sessions' | 'series' | 'deadLetters', readonly ResultRow[]>>;

function contentsOf(name: string, rows: StoredRows): ServerContents {
  const of = (list: readonly ResultRow[], more: ResultRow = {}): readonly ResultRow[] =>
    list.filter(row => Object.entries({ ...more, server: name }).every(([column, value]) => row[column] === value));
  const count = (list: readonly ResultRow[], more?: ResultRow): number =>
    of(list, more).reduce((sum, row) => sum + Number(row['count']), 0);
  const fact = (wanted: string): string => text(of(rows.facts, { name: wanted })[0]?.['value']);
  const [server = '', installation] = name.split('@');
  const since = of(rows.since).map(({ sink, at }) => [String(sink), formatInstant(BigInt(String(at)))] as const);
  const sessions = sinkNames.map(sink => {
    const inState = (done: boolean): number => count(rows.sessions, { sink, done });
    return [sink, { pending: inState(false), done: inState(true) }] as const;
  });
  return {
    server,
    installationId: fact('installationId'),
    apiVersion: fact('apiVersion'),
    archived: installation !== undefined,
    since: Object.fromEntries(since),
    sessions: Object.fromEntries(sessions),
    series: count(rows.series),
    deadLetters: count(rows.deadLetters),
  };
}

/**
 * Removes everything stored under a server's name, of every installation, with its counters and its lease.
 * @throws {ExporterError} `store` when a replica reads the server.
 */
export const forgetInPostgresql = async (config: PostgresqlConfig, server: string): Promise<Removed> =>
  inPostgresql(
    config,
    'change',
    async query => {
      await requireSchema(query);
      // Nobody acquires the server before this has ended.
      await query(`SELECT 1 FROM ${table('lease')} WHERE server = $1 FOR UPDATE`, [server]);
      await refuseHeld(query, [server]);
      const remove = async (name: string): Promise<number> => {
        const isOf = `server = $1 OR left(server, length($1) + 1) = $1 || '@'`;
        const sql = `WITH gone AS (DELETE FROM ${table(name)} WHERE ${isOf} RETURNING 1) SELECT count(*)::integer AS count FROM gone`;
        return Number((await query(sql, [server]))[0]?.['count']);
      };
      const removed = new Map<string, number>();
      for (const name of tableNames) removed.set(name, await remove(name));
      await query(`DELETE FROM ${table('lease')} WHERE server = $1`, [server]);
      const [sessions = 0, series = 0] = [removed.get('session'), removed.get('series')];
      const all = [...removed.values()].reduce((sum, count) => sum + count, 0);
      return { sessions, series, others: all - sessions - series };
    },
    longMs,
  );

/** @throws {ExporterError} `store` when a replica holds one of the servers, or any without a list. */
export async function refuseHeld(query: RunSql, servers?: readonly string[]): Promise<void> {
  const [held] = await query(
    `SELECT server, holder FROM ${table('lease')} WHERE holder <> '' AND expires_at >= now() AND (server = ANY($1::text[]) OR $1 IS NULL)`,
    [servers ?? null],
  );
  if (held === undefined) return;
  throw new ExporterError(
    'store',
    `Could not change the state in PostgreSQL: replica "${String(held['holder'])}" reads server "${String(held['server'])}"; stop it, or remove the server from its configuration`,
  );
}
