// What a page of metrics costs, over the same page written by hand, and how long the event loop is held up while events
// flow in and another process scrapes.
// npm run bench -- scrape [--runs 5] [--seconds 20]
import { request } from 'undici';
import { z } from 'zod';
import { systemClock } from '../src/kernel/clock.js';
import type { Format } from '../src/metrics/exposition.js';
import { type Child, hear, profiling, start } from './rig/child.js';
import { serversFor } from './rig/many-series.js';
import { type Case, took, whole, writing } from './rig/page-writing.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, median, say } from './rig/stats.js';

const cases = [10_000, 50_000].flatMap(series =>
  (['text', 'openmetrics'] as const).map((format): Case => ({ series, format })),
);
const accept: Readonly<Record<Format, string>> = {
  text: 'text/plain;version=0.0.4',
  openmetrics: 'application/openmetrics-text;version=1.0.0',
};
const never = new AbortController().signal;

const delays = z.object({ p999: z.number(), events: z.number() });

/** What `scraped` does for so long, once a second; and how the event loop of the process fared. */
async function watched(child: Child, seconds: number, scraped: () => Promise<unknown>) {
  child.tell('start');
  await hear(child);
  const answeredMs: number[] = [];
  const beganMs = systemClock.monotonic();
  for (let n = 1; n <= seconds; n += 1) {
    // oxlint-disable-next-line no-await-in-loop -- once a second is the point
    answeredMs.push(await took(scraped));
    // oxlint-disable-next-line no-await-in-loop -- as above
    await systemClock.sleep(Math.max(0, beganMs + n * 1000 - systemClock.monotonic()), never);
  }
  child.tell('stop');
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
    written.push(await writing(one, runs));
    // oxlint-disable-next-line no-await-in-loop -- as above
    if (seconds > 0) scraped.push(await scraping(one, runs, seconds));
    say(`${String(written.at(-1))}; ${String(scraped.at(-1))}`);
  }
  const pages = [
    'series',
    'format',
    'ours, ms',
    'by hand, ms',
    'ratio (goal: <= 2)',
    'ratio to prepared texts',
    'longest slice, ms',
  ];
  const loop = ['series', 'format', 'events/s', 'scrape, ms', 'p99.9 unscraped, ms', 'p99.9 scraped, ms (goal: < 25)'];
  const tables = `${table(pages, written)}\n\n${delayed(seconds)}\n\n${table(loop, scraped)}`;
  return { title: 'A scrape', body: `${introduction(runs)}\n\n${tables}` };
}

const introduction = (runs: number): string =>
  `Rendering a page with all series of a busy exporter through its registry, compared with the same bytes written by hand in one go
from label objects and numbers, and from prepared texts, where only values are written (the theoretical minimum). The three
alternate in one process. A slice is the part of a page that is written without yielding; the longest of each page counts.
Medians of ${String(runs)} runs of 15 pages (least to most).`;

const delayed = (seconds: number): string =>
  `Event loop delay of a process that takes 250 events at once without pause, through the metrics sink and the state file: first
without scrapes, then scraped by another process once a second, with gzip. \`monitorEventLoopDelay\` at a resolution of 1 ms,
${String(seconds)} s each.`;
