import { existsSync } from 'node:fs';
import type { Config } from '../config/parse.js';
import type { PostgresqlConfig } from '../config/postgresql.js';
import { nextTurn } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { Backfill } from '../history/backfill.js';
import { organizationLabels, organizationsIn } from '../metrics/organizations.js';
import { formatInstant, type Nanos } from '../model/time.js';
import { readPostgresql } from '../store/postgresql/admin.js';
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

/** What the exporter counts itself: since when, and which organizations have a label value. */
type LiveCounting = Readonly<{ since: Nanos; organizations: Iterable<string> }>;

/**
 * By server. One is missing when there is no state, or nothing of it in there, and the flags say where to end.
 * @throws {ExporterError} `config` when nothing says it, `store` when the state cannot be read.
 */
async function liveCounting(
  servers: readonly string[],
  { to, state }: BackfillFlags,
  config: Config,
): Promise<ReadonlyMap<string, LiveCounting>> {
  const { path, postgresql } = config.state;
  const isShared = state === undefined && postgresql !== undefined;
  const isAbsent = to !== undefined && state === undefined && !existsSync(path);
  const where = isShared ? 'the state in PostgreSQL' : `the state file "${state ?? path}"`;
  const found = new Map<string, LiveCounting>();
  for (const server of servers) {
    const inFile = (): LiveCounting | undefined => (isAbsent ? undefined : liveInFile(state ?? path, server));
    const live = isShared ? await liveInPostgresql(postgresql, server) : inFile();
    if (live !== undefined) found.set(server, live);
    else if (to === undefined)
      throw new ExporterError(
        'config',
        `Could not find out when live counting began: ${where} has nothing of server "${server}"; say it with "--to"`,
      );
  }
  return found;
}

const liveInFile = (path: string, server: string): LiveCounting | undefined =>
  readState(path, reader => liveOf(server, reader.state(server).since.metrics, reader.series([server])));

const liveInPostgresql = async (config: PostgresqlConfig, server: string): Promise<LiveCounting | undefined> =>
  readPostgresql(config, async reader => {
    const { since } = await reader.state(server);
    return liveOf(server, since.metrics, await reader.series([server]));
  });

const liveOf = (server: string, since: Nanos | undefined, series: Parameters<typeof organizationsIn>[0]) =>
  since === undefined ? undefined : { since, organizations: organizationsIn(series).get(server) ?? [] };
