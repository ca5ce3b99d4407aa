import { existsSync } from 'node:fs';
import type { Config } from '../config/parse.js';
import { nextTurn } from '../kernel/clock.js';
import { ExporterError } from '../kernel/errors.js';
import { Backfill } from '../history/backfill.js';
import { organizationLabels, organizationsIn } from '../metrics/organizations.js';
import { formatInstant, type Nanos } from '../model/time.js';
import { readState } from '../store/read.js';
import { writeOutput } from './output.js';
import { chosenServers, type PastFlags, readPast, untilStopped } from './past.js';
import { pathOf } from './state.js';
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
    const { organizationLabel, maxOrganizations } = config.metrics;
    const live = new Map(servers.map(({ name }) => [name, liveCounting(name, flags, config)]));
    await writeOutput(flags.out, terminal, async writeLines => {
      await readPast(servers, flags, terminal, {
        latest: server => live.get(server)?.since,
        read: async ({ server, window, parts, signal }) => {
          const { since, organizations = [] } = live.get(server.name) ?? {};
          const labelOf = organizationLabels(organizations, maxOrganizations);
          const shared = { labelOf, organizationLabel, targetLabels: Object.fromEntries(flags.label) };
          const series = new Backfill({ server: server.name, ...window, stepMs: flags.step, ...shared });
          for await (const part of parts) series.add(part);
          for (const lines of series.lines()) {
            await nextTurn();
            signal.throwIfAborted();
            writeLines(lines);
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

/** What the exporter counts itself: since when, and which organizations have a label value. */
type LiveCounting = Readonly<{ since: Nanos; organizations: Iterable<string> }>;

/**
 * Undefined when there is no state file, or nothing in it, and the flags say where to end.
 * @throws {ExporterError} `config` when nothing says it, `store` when the state file cannot be read.
 */
function liveCounting(server: string, { to, state }: BackfillFlags, config: Config): LiveCounting | undefined {
  const isElsewhere = config.state.postgresql !== undefined || !existsSync(config.state.path);
  if (to !== undefined && state === undefined && isElsewhere) return undefined;
  const path = state ?? pathOf(config);
  const live = readState(path, reader => ({
    since: reader.state(server).since.metrics,
    organizations: organizationsIn(reader.series([server])).get(server) ?? [],
  }));
  const { since } = live;
  if (since !== undefined) return { ...live, since };
  if (to !== undefined) return undefined;
  const what = `the state file "${path}" has nothing of server "${server}"`;
  throw new ExporterError('config', `Could not find out when live counting began: ${what}; say it with "--to"`);
}
