import { ExporterError } from '../kernel/errors.js';
import { Backfill } from '../history/backfill.js';
import { organizationLabels } from '../metrics/organizations.js';
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
    const end = (server: string): Nanos => liveSince(flags.state ?? pathOf(config), server);
    if (flags.to === undefined) for (const { name } of servers) end(name);
    await writeOutput(flags.out, terminal, async writeLines => {
      await readPast(servers, flags, terminal, {
        end,
        read: async ({ server, window, parts }) => {
          const labelOf = organizationLabels([], maxOrganizations);
          const shared = { labelOf, organizationLabel, targetLabels: Object.fromEntries(flags.label) };
          const series = new Backfill({ server: server.name, ...window, stepMs: flags.step, ...shared });
          for await (const part of parts) series.add(part);
          for (const lines of series.lines()) writeLines(lines);
          if (flags.out !== '-') terminal.printError(`${server.name}: ends at ${formatInstant(window.to)}`);
        },
      });
      writeLines('# EOF');
    });
    return exitCodes.stopped;
  });
}

/** @throws {ExporterError} `config` when the state file does not know it, `store` when it cannot be read. */
function liveSince(path: string, server: string): Nanos {
  const since = readState(path, ({ state }) => state(server)).since.metrics;
  if (since !== undefined) return since;
  const what = `the state file "${path}" has nothing of server "${server}"`;
  throw new ExporterError('config', `Could not find out when live counting began: ${what}; say it with "--to"`);
}
