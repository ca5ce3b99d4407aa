// What many servers cost: CPU and memory of one exporter for 1, 100 and 1,000 simulated ones, which are in a process of
// their own.
// npm run bench -- servers [--servers 100] [--minutes 2]
import { z } from 'zod';
import { systemClock } from '../src/kernel/clock.js';
import { hear, start, until } from './rig/child.js';
import { type Exporter, makeHome, startExporter, total } from './rig/exporter.js';
import { rest } from './rig/line.js';
import { bars, type Section, table } from './rig/report.js';
import { flag, median, percentile, say } from './rig/stats.js';

const scrapeEverySeconds = 15;
/** Time for what a start brings with it to end. */
const settleMs = 30_000;
/** Events take up to an interval to be seen. */
const lastMs = 10_000;

type Found = Readonly<{
  servers: number;
  requestsPerSecond: number;
  /** Of one core. */
  cpuPercent: number;
  /** The median of what was resident at scrapes. */
  rssMb: number;
  appended: number;
  taken: number;
  scrapeMs: readonly number[];
  scrapeBytes: number;
}>;

const farm = z.object({ servers: z.array(z.object({ url: z.string(), version: z.string() })) });
const halted = z.object({ appended: z.number() });

const taken = (text: string): number => total(text, 'vb365_restore_events_total');
const requests = (text: string): number => total(text, 'vb365_api_requests_total');

async function measure(count: number, minutes: number): Promise<Found> {
  const simulators = start('actors/servers.js', ['--servers', String(count)]);
  const { servers } = farm.parse(await hear(simulators));
  const home = makeHome();
  const exporter = await startExporter(home, { url: servers });
  await until(exporter.ready, 250);
  await rest(settleMs);
  simulators.tell('go');
  const found = await watch(exporter, minutes);
  simulators.tell('halt');
  const { appended } = halted.parse(await hear(simulators));
  await rest(lastMs);
  const text = await exporter.metrics();
  await exporter.stop();
  await simulators.stop();
  home.remove();
  return { servers: count, appended, taken: taken(text), scrapeBytes: text.length, ...found };
}

type Watched = Pick<Found, 'requestsPerSecond' | 'cpuPercent' | 'rssMb' | 'scrapeMs'>;

/** Scrapes for so long, as Prometheus would. */
async function watch(exporter: Exporter, minutes: number): Promise<Watched> {
  const [before, requestsBefore] = [exporter.usage(), requests(await exporter.metrics())];
  const [beganMs, scrapeMs, rssMb]: [number, number[], number[]] = [systemClock.monotonic(), [], []];
  for (let scrape = 1; scrape <= (minutes * 60) / scrapeEverySeconds; scrape += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one scrape after the other
    await rest(beganMs + scrape * scrapeEverySeconds * 1000 - systemClock.monotonic());
    const askedMs = systemClock.monotonic();
    // oxlint-disable-next-line no-await-in-loop -- as above
    await exporter.metrics();
    scrapeMs.push(systemClock.monotonic() - askedMs);
    rssMb.push(exporter.usage().rssMb);
  }
  const seconds = (systemClock.monotonic() - beganMs) / 1000;
  return {
    requestsPerSecond: (requests(await exporter.metrics()) - requestsBefore) / seconds,
    cpuPercent: (100 * (exporter.usage().cpuSeconds - before.cpuSeconds)) / seconds,
    rssMb: median(rssMb),
    scrapeMs,
  };
}

/** What each server beyond the first adds. */
function perServer(one: Found, first: Found, of: (found: Found) => number): string {
  return one.servers === first.servers ? '' : ((of(one) - of(first)) / (one.servers - first.servers)).toFixed(3);
}

function rowOf(one: Found, first: Found): readonly string[] {
  return [
    String(one.servers),
    one.requestsPerSecond.toFixed(1),
    one.cpuPercent.toFixed(2),
    perServer(one, first, ({ cpuPercent }) => cpuPercent),
    one.rssMb.toFixed(0),
    perServer(one, first, ({ rssMb }) => rssMb),
    `${String(one.taken)} of ${String(one.appended)}`,
    `${(one.scrapeBytes / 1e6).toFixed(2)} MB`,
    `${percentile(one.scrapeMs, 50).toFixed(0)} ms`,
  ];
}

/** CPU and memory as servers become more. `--servers` measures one number of them beside a single one. */
export async function manyServers(): Promise<Section> {
  const minutes = flag('minutes', 2);
  const most = flag('servers', 0);
  const found: Found[] = [];
  for (const count of most > 0 ? [1, most] : [1, 100, 1_000]) {
    // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
    const one = await measure(count, minutes);
    say(rowOf(one, found[0] ?? one).join(' | '));
    found.push(one);
  }
  const head = [
    'servers',
    'requests/s',
    'CPU, % of a core',
    'each more',
    'RSS, MB',
    'each more',
    'events taken',
    '/metrics',
    'p50',
  ];
  const rows = found.map(one => rowOf(one, found[0] ?? one));
  const plots = [
    'CPU, % of a core:',
    bars(found.map(one => ({ name: String(one.servers), value: one.cpuPercent }))),
    'Resident memory, MB:',
    bars(found.map(one => ({ name: String(one.servers), value: one.rssMb }))),
  ];
  return { title: 'Many servers', body: [introduction(minutes), table(head, rows), ...plots].join('\n\n') };
}

const introduction = (minutes: number): string =>
  `Simulated servers in one process, the exporter in another, which alone is measured. Half of the servers speak v8, half v6;
every tenth has an open session, in which an event comes up every ten seconds; each has 50 stopped ones. A scrape every
${String(scrapeEverySeconds)} s, ${String(minutes)} minutes after half a minute of rest. "Each more" is what a server beyond the first one adds: it is the same
in every row when growth is linear.`;
