// What a page of metrics costs, over the same page written by hand, and how long the event loop is held up while events
// flow in and another process scrapes once a second.
// npm run bench -- scrape [--runs 5] [--seconds 20]
import { request } from 'undici';
import { z } from 'zod';
import { systemClock } from '../src/kernel/clock.js';
import type { Format } from '../src/sink/exposition.js';
import { pageOf } from '../test/support/exposition.js';
import { hear, start } from './rig/child.js';
import { heldOf, writeByHand } from './rig/hand-made.js';
import { busyMetrics, samplesIn, serversFor } from './rig/many-series.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, median, percentile, say } from './rig/stats.js';

const sizes = [10_000, 50_000];
const formats: readonly Format[] = ['text', 'openmetrics'];
const accept: Readonly<Record<Format, string>> = {
  text: 'text/plain;version=0.0.4',
  openmetrics: 'application/openmetrics-text;version=1.0.0',
};
const pagesARun = 15;
const never = new AbortController().signal;

async function took(what: () => unknown): Promise<number> {
  const sinceMs = systemClock.monotonic();
  await what();
  return systemClock.monotonic() - sinceMs;
}

/** Both write the same bytes, in turn, in the same process. Medians of one run, in milliseconds. */
async function writeOnce(metrics: Awaited<ReturnType<typeof busyMetrics>>, format: Format) {
  const text = await pageOf(metrics, format);
  const [held, end] = [heldOf(text), format === 'openmetrics' ? '# EOF\n' : ''];
  if (!writeByHand(held, end).equals(Buffer.from(text))) throw new Error('Not the same page');
  const [own, hand]: [number[], number[]] = [[], []];
  for (let n = 0; n < pagesARun; n += 1) {
    hand.push(await took(() => writeByHand(held, end)));
    own.push(await took(async () => metrics.exposition(format)));
  }
  return { hand: median(hand), own: median(own) };
}

async function writing(series: number, format: Format, runs: number): Promise<readonly string[]> {
  const now = systemClock.now();
  const metrics = await busyMetrics(await serversFor(series, now), now);
  const count = samplesIn(await pageOf(metrics)).length;
  await writeOnce(metrics, format);
  const found: { hand: number; own: number }[] = [];
  for (let run = 0; run < runs; run += 1) found.push(await writeOnce(metrics, format));
  const ms = (of: (one: (typeof found)[number]) => number, digits: number): string => spread(found.map(of), digits);
  return [
    count.toLocaleString('en'),
    format,
    ms(({ hand }) => hand, 1),
    ms(({ own }) => own, 1),
    ms(({ hand, own }) => own / hand, 2),
  ];
}

const delays = z.object({ p50: z.number(), p999: z.number(), most: z.number(), events: z.number() });

/** One run of a process that is fed and scraped. */
async function scrapeOnce(servers: number, format: Format, seconds: number) {
  const child = start('actors/scraped.js', ['--servers', String(servers)], true);
  const { url } = z.object({ url: z.string() }).parse(await hear(child));
  const headers = { accept: accept[format], 'accept-encoding': 'gzip', 'x-prometheus-scrape-timeout-seconds': '10' };
  const fetch = async (): Promise<void> => (await request(url, { headers })).body.dump({ limit: 2 ** 30 });
  for (let n = 0; n < 5; n += 1) await fetch();
  child.tell('start');
  await hear(child);
  const answeredMs: number[] = [];
  const beganMs = systemClock.monotonic();
  for (let n = 1; n <= seconds; n += 1) {
    answeredMs.push(await took(fetch));
    await systemClock.sleep(Math.max(0, beganMs + n * 1000 - systemClock.monotonic()), never);
  }
  child.tell('stop');
  const found = delays.parse(await hear(child));
  await child.stop();
  return { ...found, answered: percentile(answeredMs, 50), eventsASecond: found.events / seconds };
}

async function scraping(series: number, format: Format, runs: number): Promise<readonly string[]> {
  const servers = await serversFor(series, systemClock.now());
  const found: Awaited<ReturnType<typeof scrapeOnce>>[] = [];
  for (let run = 0; run < runs; run += 1) found.push(await scrapeOnce(servers, format, flag('seconds', 20)));
  const of = (what: (one: (typeof found)[number]) => number, digits = 1): string => spread(found.map(what), digits);
  return [
    series.toLocaleString('en'),
    format,
    of(({ eventsASecond }) => eventsASecond, 0),
    of(({ answered }) => answered),
    of(({ p999 }) => p999),
    of(({ most }) => most),
  ];
}

const cases = sizes.flatMap(series => formats.map(format => ({ series, format })));

export async function scrape(): Promise<Section> {
  const runs = flag('runs', 5);
  const [written, scraped]: [(readonly string[])[], (readonly string[])[]] = [[], []];
  for (const { series, format } of cases) {
    written.push(await writing(series, format, runs));
    say(written.at(-1)?.join(' | ') ?? '');
    if (flag('seconds', 20) > 0) scraped.push(await scraping(series, format, runs));
    say(scraped.at(-1)?.join(' | ') ?? '');
  }
  const pages = table(['series', 'format', 'by hand, ms', 'ours, ms', 'ratio (goal: <= 2)'], written);
  const head = ['series', 'format', 'events/s', 'answered, ms', 'loop p99.9, ms (goal: < 25)', 'loop most, ms'];
  return { title: 'A scrape', body: `${introduction(runs)}\n\n${pages}\n\n${table(head, scraped)}` };
}

const introduction = (runs: number): string => `x ${String(runs)}`;
