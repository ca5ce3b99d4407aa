import { systemClock } from '../kernel/clock.js';
import type { Config } from '../config/parse.js';
import { ExporterError } from '../kernel/errors.js';
import { forget, inspect, type ServerContents } from '../store/inspect.js';
import { quarantine } from '../store/quarantine.js';
import { readConfig } from './read-config.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

type StateFlags = Readonly<{ 'config.file'?: string }>;

/** @throws {ExporterError} `config` when the state is in PostgreSQL. */
function pathOf({ state: { path, postgresql } }: Config): string {
  if (postgresql === undefined) return path;
  throw new ExporterError('config', 'Could not use the state file: "state.postgresql" is set, so there is none');
}

/** Prints the content of the state file in numbers, without personal data. */
export function showState(flags: StateFlags & Readonly<{ json: boolean }>, terminal: Terminal): ExitCode {
  const path = pathOf(readConfig(flags['config.file'], terminal.env));
  const contents = inspect(path);
  const { schema, sizeBytes, servers } = contents;
  const title = `State file "${path}": schema ${String(schema)}, ${String(sizeBytes)} bytes`;
  if (flags.json) terminal.print(JSON.stringify({ path, ...contents }, undefined, 2));
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
export function forgetServer(flags: StateFlags & Readonly<{ server: string }>, terminal: Terminal): ExitCode {
  const { server } = flags;
  const config = readConfig(flags['config.file'], terminal.env);
  const { servers } = config;
  const { sessions, series, others } = forget(pathOf(config), server);
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
