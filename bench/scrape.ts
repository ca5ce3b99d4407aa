// Cost of a page of /metrics against the same page written by hand, and delay of the event loop while events arrive and
// another process scrapes.
// npm run bench -- scrape [--runs 5] [--seconds 20]
import { request } from 'undici';
import { z } from 'zod';
import { systemClock } from '../src/kernel/clock.js';
import type { Format } from '../src/metrics/exposition.js';
import type { Metrics } from '../src/metrics/registry.js';
import { type Child, hear, profiling, start } from './rig/child.js';
import { busyMetrics, idleMetrics, serversFor } from './rig/many-series.js';
import { took, whole, writing } from './rig/page-writing.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, median, say } from './rig/stats.js';

/** One size of what is served, in one format. */
type Case = Readonly<{ series: number; format: Format }>;

const formats = ['text', 'openmetrics'] as const;
const cases = [10_000, 20_000].flatMap(series => formats.map((format): Case => ({ series, format })));
const idleServers = 1_000;
const accept: Readonly<Record<Format, string>> = {
  text: 'text/plain;version=0.0.4',
  openmetrics: 'application/openmetrics-text;version=1.0.0',
};
const never = new AbortController().signal;

const delays = z.object({ p999: z.number(), events: z.number() });

/** What `scraped` does for so long, once a second; and how the event loop of the process fared. */
async function watched(child: Child, seconds: number, scraped: () => Promise<unknown>) {
  child.send('start');
  await hear(child);
  const answeredMs: number[] = [];
  const beganMs = systemClock.monotonic();
  for (let n = 1; n <= seconds; n += 1) {
    // oxlint-disable-next-line no-await-in-loop -- once a second is the point
    answeredMs.push(await took(scraped));
    // oxlint-disable-next-line no-await-in-loop -- as above
    await systemClock.sleep(Math.max(0, beganMs + n * 1000 - systemClock.monotonic()), never);
  }
  child.send('stop');
  const { events, ...delay } = delays.parse(await hear(child));
  return { ...delay, answered: median(answeredMs), eventsASecond: events / seconds };
}

/** One process that takes events: first nobody scrapes, then somebody does. */
async function scrapeOnce({ format }: Case, servers: number, seconds: number) {
  const child = start('actors/scraped.js', ['--servers', String(servers)], { nodeFlags: profiling() });
  const { url } = z.object({ url: z.string() }).parse(await hear(child));
  const headers = { accept: accept[format], 'accept-encoding': 'gzip', 'x-prometheus-scrape-timeout-seconds': '10' };
  const scraped = async (): Promise<unknown> => (await request(url, { headers })).body.arrayBuffer();
  // oxlint-disable-next-line no-await-in-loop -- code that runs often is compiled first
  for (let n = 0; n < 10; n += 1) await scraped();
  const found = {
    alone: await watched(child, seconds, async () => undefined),
    scraped: await watched(child, seconds, scraped),
  };
  await child.stop();
  return found;
}

async function scraping(one: Case, runs: number, seconds: number): Promise<readonly string[]> {
  const servers = await serversFor(one.series, systemClock.now());
  const found: Awaited<ReturnType<typeof scrapeOnce>>[] = [];
  // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
  for (let run = 0; run < runs; run += 1) found.push(await scrapeOnce(one, servers, seconds));
  const of = (what: (run: (typeof found)[number]) => number, digits = 1): string => spread(found.map(what), digits);
  return [
    whole(one.series),
    one.format,
    of(({ scraped }) => scraped.eventsASecond, 0),
    of(({ scraped }) => scraped.answered),
    of(({ alone }) => alone.p999),
    of(({ scraped }) => scraped.p999),
  ];
}

/** Time to write a page, and delay of the event loop; without the latter for `--seconds 0`. */
export async function scrape(): Promise<Section> {
  const [runs, seconds] = [flag('runs', 5), flag('seconds', 20)];
  const written: (readonly string[])[] = [];
  const scraped: (readonly string[])[] = [];
  for (const one of cases) {
    // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
    written.push(await writing(await busyOf(one.series), one.format, runs));
    // oxlint-disable-next-line no-await-in-loop -- as above
    if (seconds > 0) scraped.push(await scraping(one, runs, seconds));
    say(`${String(written.at(-1))}; ${String(scraped.at(-1))}`);
  }
  const idle = idleMetrics(idleServers);
  for (const format of formats) {
    // oxlint-disable-next-line no-await-in-loop -- as above
    written.push(await writing(idle, format, runs));
    say(String(written.at(-1)));
  }
  const pages = ['series', 'format', 'MB', 'ours, ms', 'by hand, ms', 'ratio (goal: <= 2)', 'ratio to prepared texts'];
  const loop = ['series', 'format', 'events/s', 'scrape, ms', 'p99.9 unscraped, ms', 'p99.9 scraped, ms (goal: < 25)'];
  const tables = `${table(pages, written)}\n\n${delayed(seconds)}\n\n${table(loop, scraped)}`;
  return { title: 'A scrape', body: `${introduction(runs)}\n\n${tables}` };
}

async function busyOf(series: number): Promise<Metrics> {
  const nowMs = systemClock.now();
  return busyMetrics(await serversFor(series, nowMs), nowMs);
}

const introduction = (runs: number): string =>
  `Time to write a page of /metrics: by the exporter's registry; by hand, from label objects and numbers, every label value
escaped each time; and from prepared texts, where only values are written. A page is written in one go, so this is also the
longest time that a scrape stalls the event loop (goals: 20 ms at 20,000 series, 150 ms and 8 MB for ${whole(idleServers)} idle servers,
which are the last two rows). Medians of ${String(runs)} runs of 15 pages (least to most).`;

const delayed = (seconds: number): string =>
  `Delay of the event loop of a process that takes events all the time, through the metrics sink and the state file, 250 at
once: first without scrapes, then scraped once a second by another process, with gzip. \`monitorEventLoopDelay\` at a
resolution of 1 ms, ${String(seconds)} s each.`;
