// What many servers cost: CPU and memory of one exporter for 1, 100 and 1,000 simulated ones, which are in a process of
// their own.
// npm run bench -- servers [--servers 100] [--minutes 2] [--runs 5]
import { z } from 'zod';
import { systemClock } from '../src/kernel/clock.js';
import { hear, start, until } from './rig/child.js';
import { type Exporter, makeHome, startExporter, total } from './rig/exporter.js';
import { rest } from './rig/server-run.js';
import { bars, type Section, spread, table } from './rig/report.js';
import { flag, median, say } from './rig/stats.js';

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
  simulators.send('go');
  const found = await watch(exporter, minutes);
  simulators.send('halt');
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
  const scrapes = Math.max(1, (minutes * 60) / scrapeEverySeconds);
  for (let scrape = 1; scrape <= scrapes; scrape += 1) {
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

/** Many servers, and a single one in the same run. */
type Compared = Found & Readonly<{ first: Found }>;

/** The row of one number of servers, over all runs. "Each more" is what every server beyond the first adds. */
function rowOf(count: number, found: readonly Compared[]): readonly string[] {
  const each = (of: (one: Found) => number, digits: number): string => spread(found.map(of), digits);
  const added = (of: (one: Found) => number): string =>
    count === 1
      ? ''
      : spread(
          found.map(one => (of(one) - of(one.first)) / (count - 1)),
          3,
        );
  return [
    String(count),
    each(({ requestsPerSecond }) => requestsPerSecond, 1),
    each(({ cpuPercent }) => cpuPercent, 2),
    added(({ cpuPercent }) => cpuPercent),
    each(({ rssMb }) => rssMb, 0),
    added(({ rssMb }) => rssMb),
    `${String(sum(found, ({ taken: events }) => events))} of ${String(sum(found, ({ appended }) => appended))}`,
    `${median(found.map(({ scrapeBytes }) => scrapeBytes / 1e6)).toFixed(2)} MB`,
    `${median(found.flatMap(({ scrapeMs }) => scrapeMs)).toFixed(0)} ms`,
  ];
}

const sum = (found: readonly Found[], of: (one: Found) => number): number =>
  found.reduce((before, one) => before + of(one), 0);

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

/** CPU and memory as servers become more. `--servers` measures one number of them next to a single one. */
export async function manyServers(): Promise<Section> {
  const [minutes, runs, most] = [flag('minutes', 2), flag('runs', 5), flag('servers', 0)];
  const counts = most > 0 ? [1, most] : [1, 100, 1_000];
  const found: Compared[] = [];
  for (let run = 0; run < runs; run += 1) {
    let first: Found | undefined;
    for (const count of counts) {
      // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
      const one = await measure(count, minutes);
      first ??= one;
      found.push({ ...one, first });
      say(`${String(count)} servers: ${one.cpuPercent.toFixed(2)} % of a core, ${one.rssMb.toFixed(0)} MB`);
    }
  }
  const groups = counts.map(count => ({ count, runs: found.filter(({ servers }) => servers === count) }));
  const barsOf = (of: (one: Found) => number): string =>
    bars(groups.map(group => ({ name: String(group.count), value: median(group.runs.map(of)) })));
  const plots = [
    'CPU, % of a core:',
    barsOf(({ cpuPercent }) => cpuPercent),
    'Resident memory, MB:',
    barsOf(({ rssMb }) => rssMb),
  ];
  const rows = groups.map(group => rowOf(group.count, group.runs));
  return { title: 'Many servers', body: [introduction(minutes, runs), table(head, rows), ...plots].join('\n\n') };
}

const introduction = (minutes: number, runs: number): string =>
  `Simulated servers in one process, the exporter in another; only the exporter is measured. Half of the servers speak v8, half v6.
Every tenth has an open session with a new event every ten seconds; each has 50 stopped ones. A scrape every
${String(scrapeEverySeconds)} s, for ${String(minutes)} min after half a minute of warm-up. Medians of ${String(runs)} run(s), least to most. "Each more" is the cost of
each server after the first. Growth is linear if it stays the same from row to row.`;
