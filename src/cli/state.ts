import { systemClock } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { forget, inspect, type ServerContents } from '../store/inspect.js';
import { quarantine } from '../store/quarantine.js';
import { readConfig } from './read-config.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

/** Prints what the state file holds; in numbers, nothing that anybody restored. */
export function showState(configFile: string | undefined, json: boolean, terminal: Terminal): ExitCode {
  const { path } = readConfig(configFile, terminal.env).state;
  const contents = inspect(path);
  if (json) terminal.print(JSON.stringify({ path, ...contents }, undefined, 2));
  else {
    const { schema, sizeBytes, servers } = contents;
    terminal.print(`State file "${path}": schema ${String(schema)}, ${String(sizeBytes)} bytes`);
    for (const line of servers.flatMap(serverLines)) terminal.print(line);
  }
  return exitCodes.stopped;
}

function serverLines(of: ServerContents): readonly string[] {
  const sinks = Object.entries(of.sessions).map(
    ([sink, { pending, done }]) =>
      `${sink}: since ${sinceOf(of, sink)}, sessions ${String(pending)} pending, ${String(done)} done`,
  );
  const lines = [
    `installation: ${of.installationId === '' ? 'not told' : of.installationId}`,
    `API version: ${of.apiVersion === '' ? 'not told' : of.apiVersion}`,
    ...sinks,
    ...(of.archived ? [] : [`series: ${String(of.series)}`]),
    `records set aside: ${String(of.deadLetters)}`,
  ];
  return ['', of.archived ? `${of.server}, kept aside` : of.server, ...lines.map(line => `  ${line}`)];
}

const sinceOf = ({ since }: ServerContents, sink: string): string =>
  new Map<string, string>(Object.entries(since)).get(sink) ?? 'never';

/**
 * Removes all that is kept of a server, and says how much that was.
 * @throws {ExporterError} `store` when there is nothing of that name, or the exporter runs.
 */
export function forgetServer(configFile: string | undefined, server: string, terminal: Terminal): ExitCode {
  const { state, servers } = readConfig(configFile, terminal.env);
  const { sessions, series, others } = forget(state.path, server);
  if (sessions + series + others === 0)
    throw new ExporterError('store', `Could not forget server "${server}": nothing is kept under that name`);
  terminal.print(
    `Forgot server "${server}": ${String(sessions)} cursors, ${String(series)} series and ${String(others)} other rows`,
  );
  if (servers.some(({ name }) => name === server))
    terminal.print('It is still configured: at the next start it is met as new, and its counters begin at 0');
  return exitCodes.stopped;
}

/**
 * Moves a damaged state file aside, and says what that means.
 * @throws {ExporterError} `store` when it is not damaged, or the exporter runs.
 */
export function quarantineState(configFile: string | undefined, terminal: Terminal): ExitCode {
  const { path } = readConfig(configFile, terminal.env).state;
  const mark = new Date(systemClock.now()).toISOString().replace(/[-:]|\.\d+/g, '');
  for (const moved of quarantine(path, mark)) terminal.print(`Moved to "${moved}"`);
  terminal.print(
    'The next start begins afresh: counters begin at 0, and what happens before it is not counted; logs look back as "history" says',
  );
  return exitCodes.stopped;
}
