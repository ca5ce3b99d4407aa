// Makes the data for the pictures: a month in the life of two servers, simulated, taken by the exporter, and written
// into the databases of a Prometheus and a VictoriaLogs. It is kept in .cache; `busy` has people at work, `empty` has none.
// `seam` is `busy`, but the exporter was installed at 11:40 of the last day, and `backfill` has written what was before.
import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { runCli } from '../../dist/src/cli/program.js';
import { backfill } from '../../dist/test/e2e/support/backfill.js';
import { victoriaLogsArchive } from '../../dist/test/e2e/support/log-archives.js';
import { replayed } from '../../dist/test/e2e/support/replay.js';
import { runProgram } from '../../dist/test/e2e/support/running.js';
import { simulatedTime } from '../../dist/test/e2e/support/simulated-time.js';
import { toolPath } from '../../dist/test/e2e/support/tools.js';

/** A Friday afternoon. */
export const to = Date.parse('2026-03-13T16:00:10Z') / 1000;
/** Seconds between two scrapes. */
export const scrapeOf = world => (world === 'seam' ? 60 : 600);
const seamMs = Date.parse('2026-03-13T11:40:10Z');
const days = 30;

const people = {
  contoso: ['Alex Wilber', 'Megan Bowen', 'Lee Gu'],
  fabrikam: ['Adele Vance', 'Nestor Wilke'],
  northwind: ['Isaiah Langer', 'Patti Fernandez'],
  adatum: ['Diego Siciliani', 'Lidia Holloway'],
  tailspin: ['Joni Sherman', 'Lynne Robbins'],
  wingtip: ['Johanna Lorenz', 'Grady Archie'],
  litware: ['Pradeep Gupta', 'Irvin Sayers'],
  proseware: ['Miriam Graham', 'Henrietta Mueller'],
};
const organization = short => ({
  name: `${short}.onmicrosoft.com`,
  short,
  people: people[short],
  sites: ['Finance', 'Legal', 'Design', 'Operations'],
});
const hq = ['contoso', 'contoso', 'contoso', 'fabrikam', 'fabrikam', 'northwind', 'adatum', 'tailspin'];
const branch = ['wingtip', 'wingtip', 'litware', 'proseware'];

const worlds = {
  busy: [
    { name: 'hq', play: { seed: 11, organizations: hq.map(organization), sessionsPerHour: 5 } },
    { name: 'branch', play: { seed: 12, organizations: branch.map(organization), sessionsPerHour: 2 } },
  ],
  empty: [
    { name: 'hq', play: { seed: 1, organizations: [organization('contoso')], sessionsPerHour: 0 } },
    { name: 'branch', play: { seed: 2, organizations: [organization('wingtip')], sessionsPerHour: 0 } },
  ],
};

worlds.seam = worlds.busy;

/** As docs/HISTORY.md says it. */
async function backfilled(folder, urls) {
  const servers = [...urls].map(([name, url]) => ({ name, url, username: 'simulator', password_file: 'password' }));
  writeFileSync(`${folder}password`, 'simulator');
  writeFileSync(`${folder}config.yaml`, JSON.stringify({ servers, state: { path: 'state.db' } }));
  const flags = ['--config.file', `${folder}config.yaml`, '--out', `${folder}past.om`];
  const never = new AbortController().signal;
  const terminal = { env: {}, print: console.log, printError: console.log, stop: never, outputClosed: never };
  const labels = ['--label', 'job=vb365', '--label', 'instance=exporter:10365'];
  if ((await runCli(['backfill', ...flags, ...labels], { ...terminal, version: '0.0.0' })) !== 0) process.exit(1);
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--max-block-duration=744h', `${folder}past.om`];
  const { code, output } = await runProgram({ path: toolPath('promtool'), args: [...args, `${folder}tsdb`] });
  if (code !== 0) throw new Error(`promtool could not write the blocks: ${output}`);
}

/** The folder with the data of a world; made when it is not there. */
export async function stage(world) {
  const folder = new URL(`.cache/${world}/`, import.meta.url).pathname;
  if (existsSync(folder)) return folder;
  const making = folder.replace(/\/$/, '.making/');
  rmSync(making, { recursive: true, force: true });
  mkdirSync(making, { recursive: true });
  const fromMs = (to - days * 86_400 - 3) * 1000;
  const samples = backfill(`${making}samples`);
  const lives = await simulatedTime({
    folder: making,
    fromMs,
    untilMs: to * 1000,
    stepMs: scrapeOf(world) * 1000,
    ...(world === 'seam' ? { beginMs: seamMs, ending: async urls => backfilled(making, urls) } : {}),
    servers: worlds[world],
    // The process is the one that simulates; as far as it knows, it was started at the beginning. Prometheus asks for
    // OpenMetrics, in which bounds of buckets have a decimal point.
    scraped: (page, atMs) =>
      samples.scraped(
        page
          .replace(/^process_start_time_seconds .*/m, `process_start_time_seconds ${fromMs / 1000}`)
          .replaceAll(/le="(\d+)"/g, 'le="$1.0"'),
        atMs,
      ),
  });
  await samples.write(`${making}tsdb`);
  const logs = await victoriaLogsArchive(making);
  try {
    await replayed({ worlds: lives, folder: `${making}logs`, fromMs, to: logs.url, protocol: logs.protocol });
  } finally {
    await logs.stop();
  }
  renameSync(making, folder);
  return folder;
}
