import { systemClock } from '../kernel/clock.js';
import type { Config } from '../config/parse.js';
import { parsePostgresqlUrl, type PostgresqlConfig, postgresqlOf } from '../config/postgresql.js';
import { configError } from '../config/problem.js';
import { Secret } from '../kernel/secret.js';
import { ExporterError } from '../kernel/errors.js';
import { forget, inspect, type ServerContents } from '../store/inspect.js';
import { copyToFile, copyToPostgresql, type CopiedRows } from '../store/copy.js';
import { forgetInPostgresql, inspectPostgresql } from '../store/postgresql/admin.js';
import { quarantine } from '../store/quarantine.js';
import { readConfig } from './read-config.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

type StateFlags = Readonly<{ 'config.file'?: string }>;

/** @throws {ExporterError} `config` when the state is in PostgreSQL. */
function pathOf({ state: { path, postgresql } }: Config): string {
  if (postgresql === undefined) return path;
  throw new ExporterError('config', 'Could not use the state file: "state.postgresql" is set, so there is none');
}

/** Prints the content of the state in numbers, without personal data. */
export async function showState(
  flags: StateFlags & Readonly<{ json: boolean }>,
  terminal: Terminal,
): Promise<ExitCode> {
  const { path, postgresql } = readConfig(flags['config.file'], terminal.env).state;
  const contents = postgresql === undefined ? inspect(path) : await inspectPostgresql(postgresql);
  const { schema, sizeBytes, servers } = contents;
  const where = postgresql === undefined ? `State file "${path}"` : 'State in PostgreSQL';
  const title = `${where}: schema ${String(schema)}, ${String(sizeBytes)} bytes`;
  const place = postgresql === undefined ? { path } : {};
  if (flags.json) terminal.print(JSON.stringify({ ...place, ...contents }, undefined, 2));
  else for (const line of [title, ...servers.flatMap(serverLines)]) terminal.print(line);
  return exitCodes.stopped;
}

function serverLines(contents: ServerContents): readonly string[] {
  const since = new Map<string, string>(Object.entries(contents.since));
  const sinks = Object.entries(contents.sessions).map(
    ([sink, { pending, done }]) =>
      `${sink}: since ${since.get(sink) ?? 'never'}, sessions ${String(pending)} pending, ${String(done)} done`,
  );
  const lines = [
    `installation: ${orUnknown(contents.installationId)}`,
    `API version: ${orUnknown(contents.apiVersion)}`,
    ...sinks,
    ...(contents.archived ? [] : [`series: ${String(contents.series)}`]),
    `dead letters: ${String(contents.deadLetters)}`,
  ];
  return ['', contents.archived ? `${contents.server}, archived` : contents.server, ...lines.map(line => `  ${line}`)];
}

const orUnknown = (text: string): string => (text === '' ? 'unknown' : text);

/**
 * Deletes the stored state of a server and prints how much that was.
 * @throws {ExporterError} `store` when the server has no state, or the exporter runs.
 */
export async function forgetServer(
  flags: StateFlags & Readonly<{ server: string }>,
  terminal: Terminal,
): Promise<ExitCode> {
  const { server } = flags;
  const { servers, state } = readConfig(flags['config.file'], terminal.env);
  const removed = state.postgresql ? forgetInPostgresql(state.postgresql, server) : forget(state.path, server);
  const { sessions, series, others } = await removed;
  if (sessions + series + others === 0)
    throw new ExporterError('store', `Could not forget server "${server}": it has no stored state`);
  terminal.print(
    `Deleted the state of server "${server}": ${String(sessions)} cursors, ${String(series)} series and ${String(others)} other rows`,
  );
  if (servers.some(({ name }) => name === server))
    terminal.print('The server is still configured: at the next start it is new, and its counters start at 0');
  return exitCodes.stopped;
}

/**
 * Renames a damaged state file and prints the consequences.
 * @throws {ExporterError} `store` when the file is not damaged, or the exporter runs.
 */
export function quarantineState(flags: StateFlags, terminal: Terminal): ExitCode {
  const path = pathOf(readConfig(flags['config.file'], terminal.env));
  const suffix = new Date(systemClock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  for (const moved of quarantine(path, suffix)) terminal.print(`Renamed to "${moved}"`);
  terminal.print(
    'At the next start, counters start at 0 and earlier events are not counted; logs go back as far as "history"',
  );
  return exitCodes.stopped;
}

/**
 * Copies the state between a file and PostgreSQL, and prints how much that was.
 * @throws {ExporterError} `config` when it cannot be said from where to where, `store` when the exporter runs, or the
 * target is not empty.
 */
export async function copyState(
  flags: StateFlags & Readonly<{ from: string; to: string }>,
  terminal: Terminal,
): Promise<ExitCode> {
  const [from, to] = [flags.from, flags.to].map(place => placeOf(place, flags, terminal));
  const copied = await copyBetween(from, to);
  const { session = 0, series = 0, ...others } = copied;
  const rest = Object.values(others).reduce((sum, count) => sum + count, 0);
  terminal.print(`Copied ${String(session)} cursors, ${String(series)} series and ${String(rest)} other rows`);
  terminal.print('Start the exporter with the copy only: with both, everything from now on is counted twice');
  return exitCodes.stopped;
}

type Place = ReturnType<typeof placeOf>;

async function copyBetween(from: Place, to: Place): Promise<CopiedRows> {
  if (typeof from === 'string' && typeof to === 'object') return copyToPostgresql(from, to);
  if (typeof from === 'object' && typeof to === 'string') return copyToFile(from, to);
  throw new ExporterError(
    'config',
    'Could not copy the state: one of "--from" and "--to" must be sqlite:<path>, the other postgresql: (as configured) or a URL postgresql://...',
  );
}

/** A path, or a database: `postgresql:` is that of the configuration. */
function placeOf(place: string, flags: StateFlags, { env }: Terminal): string | PostgresqlConfig | undefined {
  if (place.startsWith('sqlite:') && place.length > 'sqlite:'.length) return place.slice('sqlite:'.length);
  if (place === 'postgresql:') return readConfig(flags['config.file'], env).state.postgresql;
  const isUrl = parsePostgresqlUrl(place) !== undefined;
  const keys = { url: new Secret(place), tls: {}, lease_time: 15_000 };
  const read = postgresqlOf({ postgresql: isUrl ? keys : undefined }, env);
  if ('problems' in read) throw configError('Could not read the environment', read.problems);
  return read.value;
}
