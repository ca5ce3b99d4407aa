// What it costs to catch up, as CPU seconds of the exporter over those of the floor, which fetches and parses the same
// pages and does nothing else. Server, receiver, exporter and floor are processes of their own.
// npm run bench -- catch-up [--runs 5] [--only 0]
import { z } from 'zod';
import { systemClock } from '../src/kernel/clock.js';
import { hear, start, until } from './rig/child.js';
import { makeHome, startExporter, total, wasThereBefore } from './rig/exporter.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, say } from './rig/stats.js';

/** What there is to catch up with. */
type Load = Readonly<{ sessions: number; eventsEach: number; pageSize: number }>;

type Cost = Readonly<{ cpuSeconds: number; wallSeconds: number }>;

const address = z.object({ url: z.string() });

async function startServer({ sessions, eventsEach }: Load, hold: boolean) {
  const flags = ['--sessions', String(sessions), '--events', String(eventsEach), '--hold', hold ? '1' : '0'];
  const server = start('actors/server.js', flags);
  const { url } = address.parse(await hear(server));
  return { ...server, url };
}

async function floor(load: Load): Promise<Cost> {
  const server = await startServer(load, false);
  const child = start('actors/floor.js', ['--url', server.url, '--limit', String(load.pageSize)]);
  await hear(child);
  const [before, sinceMs] = [child.usage(), systemClock.monotonic()];
  child.tell('go');
  // The process ends when it has said so: its cost is read while it waits to be heard.
  const { events, cpuSeconds } = z.object({ events: z.number(), cpuSeconds: z.number() }).parse(await hear(child));
  const wallSeconds = (systemClock.monotonic() - sinceMs) / 1000;
  await child.stop();
  await server.stop();
  if (events !== load.sessions * load.eventsEach) throw new Error(`The floor saw ${String(events)} events`);
  return { cpuSeconds: cpuSeconds - before.cpuSeconds, wallSeconds };
}

async function exporter(load: Load, logs: boolean): Promise<Cost> {
  const home = makeHome();
  const server = await startServer(load, true);
  const receiver = start('actors/receiver.js');
  const to = address.parse(await hear(receiver)).url;
  await wasThereBefore(home);
  const it = await startExporter(home, { url: server.url, pageSize: load.pageSize, ...(logs && { receiver: to }) });
  await until(async () => (await it.metrics().catch(() => '')).includes('vb365_api_requests_total'));
  await systemClock.sleep(1_500, new AbortController().signal);
  const [before, sinceMs] = [it.usage(), systemClock.monotonic()];
  server.tell('go');
  const records = load.sessions * load.eventsEach + load.sessions;
  const expected = logs ? 2 * records : records;
  await until(async () => total(await it.metrics(), 'vb365_sink_delivered_total') >= expected, 1_000);
  const cost = {
    cpuSeconds: it.usage().cpuSeconds - before.cpuSeconds,
    wallSeconds: (systemClock.monotonic() - sinceMs) / 1000,
  };
  await it.stop();
  await server.stop();
  await receiver.stop();
  home.remove();
  return cost;
}

type Case = Readonly<{ name: string; load: Load; logs: boolean; goal: number }>;

const pages: Load = { sessions: 100, eventsEach: 5_000, pageSize: 5_000 };
const visits: Load = { sessions: 20_000, eventsEach: 25, pageSize: 1_000 };
const cases: readonly Case[] = [
  { name: 'pages of 5,000, metrics and logs', load: pages, logs: true, goal: 4.5 },
  { name: 'pages of 5,000, metrics only', load: pages, logs: false, goal: 2 },
  { name: '20,000 sessions of 25, metrics only', load: visits, logs: false, goal: 2.5 },
];

/** Each run measures the floor right before, so that both had the same machine. */
async function measure({ name, load, logs, goal }: Case, runs: number) {
  const events = load.sessions * load.eventsEach;
  const found: Readonly<{ low: Cost; own: Cost }>[] = [];
  for (let run = 0; run < runs; run += 1) {
    // oxlint-disable-next-line no-await-in-loop -- side by side, one after the other
    const pair = { low: await floor(load), own: await exporter(load, logs) };
    found.push(pair);
    say(`${name}: floor ${shown(pair.low, events)}, exporter ${shown(pair.own, events)}`);
  }
  const each = (of: (pair: (typeof found)[number]) => number, digits: number): string => spread(found.map(of), digits);
  const micros = ({ cpuSeconds }: Cost): number => (cpuSeconds * 1e6) / events;
  return [
    name,
    each(({ low }) => micros(low), 1),
    each(({ own }) => micros(own), 1),
    each(({ low, own }) => own.cpuSeconds / low.cpuSeconds, 2),
    `<= ${String(goal)}`,
    each(({ low }) => low.wallSeconds, 1),
    each(({ own }) => own.wallSeconds, 1),
  ];
}

const shown = ({ cpuSeconds, wallSeconds }: Cost, events: number): string =>
  `${((cpuSeconds * 1e6) / events).toFixed(2)} us an event in ${wallSeconds.toFixed(1)} s`;

/** CPU seconds of the exporter over those of the floor. `--only <n>` runs one case. */
export async function catchUp(): Promise<Section> {
  const runs = flag('runs', 5);
  const rows: string[][] = [];
  for (const [index, one] of cases.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
    if (flag('only', index) === index) rows.push(await measure(one, runs));
  }
  const head = ['500,000 events', 'floor, us/event', 'exporter, us/event', 'ratio', 'goal', 'floor, s', 'exporter, s'];
  return { title: 'Catching up', body: `${introduction(runs)}\n\n${table(head, rows)}` };
}

const introduction = (runs: number): string =>
  `CPU time of the exporter for each event, from the first list of sessions to the last event delivered, over that of the
floor: the same undici pool fetching and \`JSON.parse\`-ing the same pages, and nothing else. Server, receiver of OTLP
http/json, floor and exporter are processes of their own on loopback, so that wall time measures the server too. Medians
of ${String(runs)} runs, each right after its floor (least to most).`;
