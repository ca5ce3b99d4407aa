import { Pool as PgPool } from 'pg';
import { parsePostgresqlUrl, type PostgresqlConfig, type PostgresqlTarget } from '../../config/postgresql.js';
import { ExporterError } from '../../kernel/errors.js';
import { readSecretText, readTextSync } from '../../kernel/text-file.js';
import { maxConnections, type Pool } from './pool.js';

const connectTimeoutMs = 5_000;
/** Longer than a statement may take in the database, for a network that drops everything. */
const answerTimeoutMs = 7_000;

/**
 * Connections to the database that the configuration names. Nothing connects before the first use. The password is read
 * for each connection when it is in a file.
 * @throws {ExporterError} `store` when the file of the URL or a TLS file cannot be used.
 */
export async function openPool(config: PostgresqlConfig): Promise<Pool> {
  const { host, port, user, database, sslmode } = await targetOf(config);
  const isSocket = host?.startsWith('/') === true;
  const pool = new PgPool({
    host,
    port,
    user,
    database,
    password: async () => (await targetOf(config)).password?.reveal() ?? '',
    ssl: sslmode === 'disable' || isSocket ? false : { ...readTls(config.tls), rejectUnauthorized: true },
    max: maxConnections,
    connectionTimeoutMillis: connectTimeoutMs,
    query_timeout: answerTimeoutMs,
    keepAlive: true,
    application_name: 'vb365-exporter',
  });
  // A connection that breaks while nobody uses it is replaced; one that breaks in use fails its statement.
  pool.on('error', () => undefined);
  pool.on('connect', client => void client.on('error', () => undefined));
  return {
    connect: async () => {
      const client = await pool.connect();
      return {
        query: async (sql, values) => (await client.query<Record<string, unknown>>(sql, values && [...values])).rows,
        release: destroy => client.release(destroy),
      };
    },
    end: async () => pool.end(),
  };
}

async function targetOf({ url, fallback }: PostgresqlConfig): Promise<PostgresqlTarget> {
  const own = await ownTarget(url);
  if (own === undefined) return fallback;
  return {
    host: own.host ?? fallback.host,
    port: own.port ?? fallback.port,
    user: own.user ?? fallback.user,
    password: own.password ?? fallback.password,
    database: own.database ?? fallback.database,
    sslmode: own.sslmode ?? fallback.sslmode,
  };
}

/**
 * What the URL says; undefined without one.
 * @throws {ExporterError} `store` when its file cannot be used.
 */
export async function ownTarget(url: PostgresqlConfig['url']): Promise<PostgresqlTarget | undefined> {
  if (url === undefined) return undefined;
  const file = {
    path: 'file' in url ? url.file : '',
    what: 'file of state.postgresql.url_file',
    reason: 'store',
  } as const;
  const target = parsePostgresqlUrl('value' in url ? url.value.reveal() : await readSecretText(file));
  if (target !== undefined) return target;
  const message = `Could not use ${file.what} "${file.path}": it holds no URL of PostgreSQL`;
  throw new ExporterError('store', message, { details: { file: 'content' } });
}

const readTls = ({ caFile, certFile, keyFile }: PostgresqlConfig['tls']) =>
  Object.fromEntries(
    Object.entries({ ca: caFile, cert: certFile, key: keyFile }).flatMap(([name, path]) =>
      path === undefined ? [] : [[name, readTextSync({ path, what: 'TLS file', reason: 'store' })]],
    ),
  );
