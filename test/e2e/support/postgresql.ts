import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from 'pg';
import type { PostgresqlConfig, PostgresqlTarget } from '../../../src/config/postgresql.js';
import { Secret } from '../../../src/kernel/secret.js';
import { eventually, freePort, type Running, startProgram } from './running.js';
import { toolPath } from './tools.js';

/** A real PostgreSQL with one user, `vb365`, who may create databases. */
export interface Postgresql {
  readonly port: number;
  /** An empty database. Returns its name. */
  createDatabase(): Promise<string>;
  /** Rows of a statement, as the owner of the cluster. */
  sql(statement: string, database?: string): Promise<readonly Readonly<Record<string, unknown>>[]>;
  /** Ends every connection of others, as a failover does. */
  cut(): Promise<void>;
  /** Ends it at once, as a crash would, or as an administrator does. */
  stop(how: 'crash' | 'shutdown'): Promise<void>;
  start(): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
  /** Another one that follows it: a streaming standby. */
  standby(): Promise<Postgresql>;
}

export const password = 'canary-of-postgresql';

/** Debian's programs refuse to run as root. */
const asPostgres = (path: string, args: readonly string[]): Readonly<{ path: string; args: readonly string[] }> =>
  process.getuid?.() === 0
    ? { path: 'setpriv', args: ['--reuid=postgres', '--regid=postgres', '--clear-groups', path, ...args] }
    : { path, args };

/** @param settings more of `postgresql.conf`, as `name=value`. */
export async function startPostgresql(
  settings: readonly string[] = [],
  files: Readonly<Record<string, string>> = {},
): Promise<Postgresql> {
  const folder = mkdtempSync(join(tmpdir(), 'vb365-postgresql-'));
  chmodSync(folder, 0o777);
  const data = join(folder, 'data');
  const initdb = asPostgres(toolPath('initdb'), [
    '-D',
    data,
    '-A',
    'scram-sha-256',
    '-U',
    'owner',
    '--pwfile',
    join(folder, 'password'),
  ]);
  writeFileSync(join(folder, 'password'), password);
  const made = spawnSync(initdb.path, [...initdb.args], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`initdb failed: ${made.stdout}${made.stderr}`);
  for (const [name, content] of Object.entries(files)) writeFileSync(join(data, name), content);
  // The server refuses a key that others can read.
  if (process.getuid?.() === 0 && Object.keys(files).length > 0) spawnSync('chown', ['-R', 'postgres', data]);
  for (const name of Object.keys(files)) chmodSync(join(data, name), 0o600);
  const database = await run(folder, settings);
  await database.sql(`CREATE ROLE vb365 LOGIN CREATEDB PASSWORD '${password}'`);
  return database;
}

/** Starts one on the data in a folder. */
async function run(folder: string, settings: readonly string[]): Promise<Postgresql> {
  const data = join(folder, 'data');
  const port = await freePort();
  let running: Running | undefined;
  const sql: Postgresql['sql'] = async (statement, database = 'postgres') => {
    const client = new Client({ host: '127.0.0.1', port, user: 'owner', password, database });
    client.on('error', () => undefined);
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(statement)).rows;
    } finally {
      await client.end();
    }
  };
  const start = async (): Promise<void> => {
    const options = [
      `port=${String(port)}`,
      'listen_addresses=127.0.0.1',
      `unix_socket_directories=${folder}`,
      'fsync=off',
      ...settings,
    ];
    running = startProgram(
      asPostgres(toolPath('postgres'), ['-D', data, ...options.flatMap(option => ['-c', option])]),
    );
    await eventually('PostgreSQL answers', async () => (await sql('SELECT 1')).length);
  };
  const stop: Postgresql['stop'] = async how => {
    // SIGQUIT of the manual is for a crash; SIGKILL would leave children that hold the shared memory.
    if (running?.alive() === true && running.pid !== undefined)
      process.kill(running.pid, how === 'crash' ? 'SIGQUIT' : 'SIGINT');
    await eventually('PostgreSQL is gone', () => (running?.alive() === true ? undefined : true));
  };
  await start();
  let databases = 0;
  return {
    port,
    sql,
    start,
    stop,
    createDatabase: async () => {
      const name = `state${String((databases += 1))}`;
      await sql(`CREATE DATABASE ${name} OWNER vb365`);
      return name;
    },
    cut: async () =>
      void (await sql(
        'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND usename IS NOT NULL',
      )),
    remove: async () => {
      await stop('shutdown');
      rmSync(folder, { recursive: true, force: true });
    },
    standby: async () => {
      const other = mkdtempSync(join(tmpdir(), 'vb365-postgresql-'));
      chmodSync(other, 0o777);
      await stop('shutdown');
      spawnSync('cp', ['-a', data, other]);
      writeFileSync(join(other, 'data', 'standby.signal'), '');
      await start();
      const primary = `host=127.0.0.1 port=${String(port)} user=owner password=${password} application_name=standby`;
      return run(other, [...settings, `primary_conninfo=${primary}`]);
    },
  };
}

export const urlOf = (port: number, database: string): string =>
  `postgresql://vb365:${password}@127.0.0.1:${String(port)}/${database}?sslmode=disable`;

/** The configuration of the state in a database. */
export const stateIn = (port: number, database: string, over: Partial<PostgresqlTarget> = {}): PostgresqlConfig => ({
  url: undefined,
  fallback: {
    host: '127.0.0.1',
    port,
    user: 'vb365',
    password: new Secret(password),
    database,
    sslmode: 'disable',
    ...over,
  },
  tls: { caFile: undefined, certFile: undefined, keyFile: undefined },
  leaseMs: 15_000,
});

/** A real PgBouncer in transaction mode before a database. Returns its port and how to stop it. */
export async function startPgbouncer(
  to: Pick<Postgresql, 'port'>,
): Promise<Readonly<{ port: number; stop: () => Promise<void> }>> {
  const folder = mkdtempSync(join(tmpdir(), 'vb365-pgbouncer-'));
  chmodSync(folder, 0o755);
  const port = await freePort();
  const settings = [
    '[databases]',
    `* = host=127.0.0.1 port=${String(to.port)}`,
    '[pgbouncer]',
    `listen_addr = 127.0.0.1`,
    `listen_port = ${String(port)}`,
    'unix_socket_dir =',
    'pool_mode = transaction',
    'default_pool_size = 2',
    'auth_type = plain',
    `auth_file = ${join(folder, 'users')}`,
  ];
  writeFileSync(join(folder, 'ini'), settings.join('\n'));
  writeFileSync(join(folder, 'users'), `"vb365" "${password}"\n`);
  mkdirSync(join(folder, 'run'));
  const running = startProgram(asPostgres(toolPath('pgbouncer'), [join(folder, 'ini')]));
  await eventually('PgBouncer listens', () => (running.output().includes('process up') ? true : undefined));
  return {
    port,
    stop: async () => {
      await running.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
