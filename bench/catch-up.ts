// What it costs to catch up, as CPU seconds of the exporter over those of the floor, which fetches and parses the same
// pages and does nothing else. Server, receiver, exporter and floor are processes of their own.
// npm run bench -- catch-up [--runs 5] [--only 0]
import { z } from 'zod';
import { systemClock } from '../src/kernel/clock.js';
import { hear, start } from './rig/child.js';
import { recordsOf, rest, startLine, untilDelivered } from './rig/server-run.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, say } from './rig/stats.js';

/** What there is to catch up with. */
type Load = Readonly<{ sessions: number; eventsEach: number; pageSize: number }>;

type Cost = Readonly<{ cpuSeconds: number; wallSeconds: number }>;

const address = z.object({ url: z.string() });
const seen = z.object({ events: z.number(), cpuSeconds: z.number() });

/** It measures its own CPU, from the word on. */
async function floor({ sessions, eventsEach, pageSize }: Load, lean = false): Promise<Cost> {
  const server = start('actors/server.js', ['--sessions', String(sessions), '--events', String(eventsEach)]);
  const { url } = address.parse(await hear(server));
  const flags = ['--url', url, '--limit', String(pageSize), '--lean', lean ? '1' : '0'];
  const child = start('actors/floor.js', flags);
  await hear(child);
  const sinceMs = systemClock.monotonic();
  child.tell('go');
  const { events, cpuSeconds } = seen.parse(await hear(child));
  const wallSeconds = (systemClock.monotonic() - sinceMs) / 1000;
  await Promise.all([child.stop(), server.stop()]);
  if (events !== sessions * eventsEach) throw new Error(`The floor saw ${String(events)} events`);
  return { cpuSeconds, wallSeconds };
}

/** Lets a start end before anything is measured. */
const settleMs = 1_500;

async function exporter(load: Load, logs: boolean): Promise<Cost> {
  const line = await startLine({ ...load, logs });
  await rest(settleMs);
  const [before, sinceMs] = [line.exporter.usage(), systemClock.monotonic()];
  line.server.tell('go');
  await untilDelivered(line, recordsOf(load.sessions, load.eventsEach, logs ? 2 : 1), 1_000);
  const cost = {
    cpuSeconds: line.exporter.usage().cpuSeconds - before.cpuSeconds,
    wallSeconds: (systemClock.monotonic() - sinceMs) / 1000,
  };
  await line.stop();
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
  const found: Readonly<{ low: Cost; lean: Cost; own: Cost }>[] = [];
  for (let run = 0; run < runs; run += 1) {
    // oxlint-disable-next-line no-await-in-loop -- side by side, one after the other
    const one = { lean: await floor(load, true), low: await floor(load), own: await exporter(load, logs) };
    found.push(one);
    say(
      `${name}: floor ${shown(one.low, events)}, lean ${shown(one.lean, events)}, exporter ${shown(one.own, events)}`,
    );
  }
  const each = (of: (one: (typeof found)[number]) => number, digits: number): string => spread(found.map(of), digits);
  const micros = ({ cpuSeconds }: Cost): number => (cpuSeconds * 1e6) / events;
  return [
    name,
    each(({ low }) => micros(low), 1),
    each(({ own }) => micros(own), 1),
    each(({ low, own }) => own.cpuSeconds / low.cpuSeconds, 2),
    `<= ${String(goal)}`,
    each(({ lean, own }) => own.cpuSeconds / lean.cpuSeconds, 2),
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
  const head = [
    '500,000 events',
    'floor, us/event',
    'exporter, us/event',
    'ratio',
    'goal',
    'to a lean floor',
    'floor, s',
    'exporter, s',
  ];
  return { title: 'Catching up', body: `${introduction(runs)}\n\n${table(head, rows)}` };
}

const introduction = (runs: number): string =>
  `CPU time of the exporter for each event, from the first list of sessions to the last event delivered, over that of the
floor: the same undici pool fetching and \`JSON.parse\`-ing the same pages, and nothing else. Server, receiver of OTLP
http/json, floor and exporter are processes of their own on loopback, so that wall time measures the server too. The
floor runs in a plain Node, the exporter with what the image sets. The floor receives with \`request\` and \`body.text()\`
of undici, as one would; a lean floor receives as the exporter does, by a handler of its own. Medians of ${String(runs)} runs, each
right after its floors (least to most).`;
