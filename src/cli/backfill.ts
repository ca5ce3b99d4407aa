import { existsSync } from 'node:fs';
import type { Config } from '../config/parse.js';
import type { PostgresqlConfig } from '../config/postgresql.js';
import { nextTurn } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { Backfill } from '../history/backfill.js';
import { organizationLabels, organizationsIn } from '../metrics/organizations.js';
import { formatInstant, type Nanos } from '../model/time.js';
import { readPostgresql } from '../store/postgresql/read.js';
import { readState } from '../store/read.js';
import { writeOutput } from './output.js';
import { chosenServers, type PastFlags, type PastReading, readPast, untilStopped } from './past.js';
import { type ExitCode, exitCodes, type Terminal } from './terminal.js';

type BackfillFlags = PastFlags &
  Readonly<{
    out: string;
    /** Between two samples, in ms. */
    step: number;
    /** Labels of the scrape, as name and value. */
    label: readonly (readonly [name: string, value: string])[];
    /** Default: the file of the configuration. */
    state?: string;
  }>;

/** Writes the counters of the time before the exporter, for `promtool tsdb create-blocks-from openmetrics`. */
export async function backfill(flags: BackfillFlags, terminal: Terminal): Promise<ExitCode> {
  return untilStopped(terminal, async () => {
    const { config, servers } = chosenServers(flags, terminal);
    const names = servers.map(({ name }) => name);
    const live = await liveCounting(names, flags, config);
    await writeOutput(flags.out, terminal, async writeLines => {
      await readPast(servers, flags, terminal, {
        latest: server => live.get(server)?.since,
        read: async reading => {
          const { server, window, signal } = reading;
          const { since, organizations = [] } = live.get(server.name) ?? {};
          const series = backfillOf(reading, organizations, flags, config);
          for await (const part of reading.parts) series.add(part);
          for (const lines of series.lines()) {
            await nextTurn();
            signal.throwIfAborted();
            writeLines(lines);
            await terminal.drained?.();
          }
          const why = window.to === since ? ', where live counting began' : '';
          if (flags.out !== '-' || flags.to !== undefined)
            terminal.printError(`${server.name}: ends at ${formatInstant(window.to)}${why}`);
        },
      });
      writeLines('# EOF');
    });
    return exitCodes.stopped;
  });
}

function backfillOf(
  { server, source, window }: PastReading,
  organizations: Iterable<string>,
  { step, label }: BackfillFlags,
  { metrics }: Config,
): Backfill {
  const aheadSeconds = source.clockSkewSeconds() ?? 0;
  return new Backfill({
    ...window,
    server: server.name,
    // The server says its time in whole seconds.
    aheadMs: aheadSeconds <= 0 ? 0 : (aheadSeconds + 1) * 1000,
    stepMs: step,
    labelOf: organizationLabels(organizations, metrics.maxOrganizations),
    organizationLabel: metrics.organizationLabel,
    targetLabels: Object.fromEntries(label),
  });
}

/** What the exporter counts itself: since when, and which organizations have a label value. By server. */
type LiveCounting = ReadonlyMap<string, Readonly<{ since: Nanos; organizations: Iterable<string> }>>;

/**
 * A server is missing when there is no state, or nothing of it in there, and the flags say where to end.
 * @throws {ExporterError} `config` when nothing says it, `store` when the state cannot be read.
 */
async function liveCounting(
  servers: readonly string[],
  { to, state }: BackfillFlags,
  config: Config,
): Promise<LiveCounting> {
  const { path, postgresql } = config.state;
  const isShared = state === undefined && postgresql !== undefined;
  const isAbsent = to !== undefined && state === undefined && !existsSync(path);
  const inFile = (): LiveCounting => (isAbsent ? new Map() : liveInFile(state ?? path, servers));
  const live = isShared ? await liveInPostgresql(postgresql, servers) : inFile();
  const unknown = to === undefined ? servers.find(server => !live.has(server)) : undefined;
  if (unknown === undefined) return live;
  const where = isShared ? 'the state in PostgreSQL' : `the state file "${state ?? path}"`;
  throw new ExporterError(
    'config',
    `Could not find out when live counting began: ${where} has nothing of server "${unknown}"; say it with "--to"`,
  );
}

const liveInFile = (path: string, servers: readonly string[]): LiveCounting =>
  readState(path, reader => {
    const since = servers.map(server => [server, reader.state(server).since.metrics] as const);
    return liveOf(since, organizationsIn(reader.series(servers)));
  });

const liveInPostgresql = async (config: PostgresqlConfig, servers: readonly string[]): Promise<LiveCounting> =>
  (await readPostgresql(config, async reader => {
    const since: (readonly [string, Nanos | undefined])[] = [];
    for (const server of servers) since.push([server, (await reader.state(server)).since.metrics]);
    return liveOf(since, organizationsIn(await reader.series(servers)));
  })) ?? new Map();

const liveOf = (
  began: readonly (readonly [server: string, since: Nanos | undefined])[],
  known: ReadonlyMap<string, Iterable<string>>,
): LiveCounting =>
  new Map(
    began.flatMap(([server, since]) =>
      since === undefined ? [] : [[server, { since, organizations: known.get(server) ?? [] }] as const],
    ),
  );
