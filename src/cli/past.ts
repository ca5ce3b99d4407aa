import { type History, historyStart } from '../config/duration.js';
import type { Config, ServerConfig } from '../config/parse.js';
import { configError } from '../config/problem.js';
import { nextTurn, systemClock, systemRandom } from '../kernel/clock.js';
import { ExporterError, toExporterError } from '../kernel/errors.js';
import { errorCode } from '../kernel/network-error.js';
import { type HistoryPart, readHistory, type HistoryProgress, type Window } from '../history/reader.js';
import { formatInstant, type Nanos } from '../model/time.js';
import type { Session } from '../model/session.js';
import { credentialsOf, trustOf } from '../server/source.js';
import { type PastSource, pastSource } from '../source/past.js';
import { OutputError } from './output.js';
import { readConfig } from './read-config.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

/** The flags of every command that reads history. */
export type PastFlags = Readonly<{
  'config.file'?: string;
  server: readonly string[];
  from: History;
  to?: History;
  /** Requests to a server at a time. */
  concurrency: number;
}>;

/** The past of one server, to be read once. */
export type PastReading = Readonly<{
  server: ServerConfig;
  source: PastSource;
  window: Window;
  parts: AsyncIterable<HistoryPart>;
  signal: AbortSignal;
}>;

type ReadingOptions = Readonly<{
  read: (reading: PastReading) => Promise<void>;
  /** The end of the window, unless the flags have one. Default: now, by the clock of the server. */
  end?: (server: string, now: Nanos) => Nanos;
  /** The window ends there at the latest, whatever the flags say. Undefined: now. */
  latest?: (server: string) => Nanos | undefined;
  /** Called for each session of a server, in the window or not. */
  listed?: (server: string, session: Session) => void;
}>;

type ChosenServers = Readonly<{ config: Config; servers: readonly ServerConfig[] }>;

/** The servers of the configuration, or those that the flags name. @throws {ExporterError} `config`. */
export function chosenServers(flags: PastFlags, terminal: Terminal): ChosenServers {
  const config = readConfig(flags['config.file'], terminal.env);
  for (const warning of config.warnings) terminal.printError(warning);
  const names = config.servers.map(({ name }) => name);
  const unknown = flags.server.filter(name => !names.includes(name));
  if (unknown.length > 0)
    throw configError(
      'Could not choose servers',
      unknown.map(name => ({ path: `--server ${name}`, what: `is not configured; configured: ${names.join(', ')}` })),
    );
  return {
    config,
    servers: config.servers.filter(({ name }) => flags.server.length === 0 || flags.server.includes(name)),
  };
}

/**
 * Reads the past of servers, one after the other, each with a separate login. Nothing is stored.
 * @throws {ExporterError} as `readHistory`, with the name of the server, or `OutputError`.
 */
export async function readPast(
  servers: readonly ServerConfig[],
  flags: PastFlags,
  terminal: Terminal,
  options: ReadingOptions,
): Promise<void> {
  const signal = AbortSignal.any([terminal.stop, terminal.outputClosed]);
  for (const server of servers) {
    const source = sourceOf(server, terminal.version, flags);
    try {
      await source.instance(signal);
      const window = windowOf(server.name, flags, source.now(), options);
      const show = progressLine(server.name, terminal);
      const listed = (session: Session): void => options.listed?.(server.name, session);
      const how = { window, signal, concurrency: flags.concurrency, listed, progress: show };
      await options.read({ server, source, window, signal, parts: paced(readHistory(source, how), terminal) });
      for (const line of gapsIn(source)) terminal.printError(`${server.name}: ${line}`);
    } catch (thrown) {
      throw signal.aborted ? interrupted() : namingServer(server.name, thrown);
    } finally {
      terminal.progress?.('');
      await source.close();
    }
  }
}

/** The next part is read when the reader of standard output has caught up with the last one. */
async function* paced(parts: AsyncIterable<HistoryPart>, { drained }: Terminal): AsyncGenerator<HistoryPart> {
  for await (const part of parts) {
    yield part;
    await drained?.();
  }
}

/**
 * Runs a command that reads history. It ends well when nobody reads its output any more.
 * @throws {OutputError} also when standard output cannot be written, such as to a full disk.
 */
export async function untilStopped({ outputClosed }: Terminal, work: () => Promise<ExitCode>): Promise<ExitCode> {
  const exitCode = await work().catch((thrown: unknown) => {
    if (toExporterError(thrown).reason === 'aborted' && outputClosed.aborted) return exitCodes.stopped;
    throw thrown;
  });
  await nextTurn(); // the error of the last line
  const code = outputClosed.aborted ? errorCode(outputClosed.reason) : '';
  if (code === '' || code === 'EPIPE') return exitCode;
  throw new OutputError('to standard output', outputClosed.reason);
}

/** What is left out because the server did not say it. */
function gapsIn(source: PastSource): readonly string[] {
  const { owners, statistics, organizations } = source.gaps();
  return [
    ...(owners === 0 ? [] : [`${String(owners)} owners of restored data have no name, because they could not be read`]),
    ...(statistics === 0
      ? []
      : [`${String(statistics)} sessions have no expected items, because they could not be read`]),
    ...(organizations
      ? ['organizations that nobody has ever restored are left out, because the organizations could not be read']
      : []),
  ];
}

export const interrupted = (): ExporterError => new ExporterError('aborted', 'Could not finish: interrupted');

function namingServer(name: string, thrown: unknown): unknown {
  if (!(thrown instanceof ExporterError) || thrown instanceof OutputError || thrown.reason === 'config') return thrown;
  const { reason, message, details } = thrown;
  const why = message.replace(/^Could not/, 'could not');
  return new ExporterError(reason, `Could not read the history of server "${name}": ${why}`, {
    details,
    cause: thrown,
  });
}

const sourceOf = (server: ServerConfig, version: string, { concurrency }: PastFlags): PastSource =>
  pastSource({
    concurrency,
    baseUrl: server.url,
    apiVersion: server.apiVersion,
    credentials: credentialsOf(server),
    trust: trustOf(server),
    proxy: server.proxy,
    clock: systemClock,
    random: systemRandom,
    eventLimit: server.pageSize,
    resolveOwners: server.resolveOwners,
    requestTimeoutMs: server.requestTimeoutMs,
    userAgent: `vb365-exporter/${version} history`,
  });

/** @throws {ExporterError} `config` when the window is empty. */
function windowOf(server: string, { from, to }: PastFlags, now: Nanos, { end, latest }: ReadingOptions): Window {
  const asked = to === undefined ? (end?.(server, now) ?? now) : historyStart(to, now);
  const window = { from: historyStart(from, now), to: earliest(asked, latest?.(server) ?? now, now) };
  if (window.from < window.to) return window;
  const [start, stop] = [window.from, window.to].map(formatInstant);
  throw new ExporterError(
    'config',
    `Could not read an empty window: it begins at ${String(start)} and ends at ${String(stop)}`,
  );
}

const earliest = (...times: readonly Nanos[]): Nanos => times.reduce((a, b) => (a < b ? a : b));

const showEveryMs = 250;

/** Shows how far the reading has come, a few times per second. */
function progressLine(server: string, { progress }: Terminal): (read: HistoryProgress) => void {
  const beganMs = systemClock.monotonic();
  let shownMs = -Infinity;
  return read => {
    const nowMs = systemClock.monotonic();
    if (progress === undefined || nowMs - shownMs < showEveryMs) return;
    shownMs = nowMs;
    progress(progressText(server, read, (nowMs - beganMs) / 1000));
  };
}

/** Such as `hq: 120 of 3400 sessions, 45210 events, 1230 events/s, 2 min left`. */
function progressText(server: string, { sessions, of, events }: HistoryProgress, seconds: number): string {
  const leftMinutes = sessions === 0 ? undefined : Math.ceil(((seconds / sessions) * (of - sessions)) / 60);
  const left = leftMinutes === undefined ? '' : `, ${String(leftMinutes)} min left`;
  const rate = String(Math.round(events / Math.max(seconds, 0.001)));
  return `${server}: ${String(sessions)} of ${String(of)} sessions, ${String(events)} events, ${rate} events/s${left}`;
}
