// The cost of catching up with a backlog: CPU time of the exporter divided by that of the floor, which fetches and parses the
// same pages and does nothing else. Server, receiver, exporter and floor each run in their own process.
// npm run bench -- catch-up [--runs 5] [--only 0] [--events 500000]
import { z } from 'zod';
import { systemClock } from '../src/kernel/clock.js';
import { hear, start } from './rig/child.js';
import { type LineOptions, recordsOf, rest, startLine, untilDelivered } from './rig/server-run.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, say } from './rig/stats.js';

/** The backlog. */
type Load = Readonly<{ sessions: number; eventsEach: number }>;

export type Cost = Readonly<{ cpuSeconds: number; wallSeconds: number }>;

const address = z.object({ url: z.string() });
const seen = z.object({ events: z.number(), cpuSeconds: z.number() });

/** The floor measures its own CPU time from `go` on. */
async function floor({ sessions, eventsEach }: Load): Promise<Cost> {
  const server = start('actors/server.js', ['--sessions', String(sessions), '--events', String(eventsEach)]);
  const { url } = address.parse(await hear(server));
  const child = start('actors/floor.js', ['--url', url]);
  await hear(child);
  const sinceMs = systemClock.monotonic();
  child.send('go');
  const { events, cpuSeconds } = seen.parse(await hear(child));
  const wallSeconds = (systemClock.monotonic() - sinceMs) / 1000;
  await Promise.all([child.stop(), server.stop()]);
  if (events !== sessions * eventsEach) throw new Error(`The floor saw ${String(events)} events`);
  return { cpuSeconds, wallSeconds };
}

/** Lets a start end before anything is measured. */
const settleMs = 1_500;

/** Lets the exporter catch up. */
export async function exporterCost(load: LineOptions & Load): Promise<Cost> {
  const line = await startLine(load);
  await rest(settleMs);
  const [before, sinceMs] = [line.exporter.usage(), systemClock.monotonic()];
  line.server.send('go');
  await untilDelivered(line, recordsOf(load.sessions, load.eventsEach, load.logs === false ? 1 : 2), 1_000);
  const cost = {
    cpuSeconds: line.exporter.usage().cpuSeconds - before.cpuSeconds,
    wallSeconds: (systemClock.monotonic() - sinceMs) / 1000,
  };
  await line.stop();
  return cost;
}

type Case = Readonly<{ name: string; eventsEach: number; logs: boolean; goal: number }>;

const cases: readonly Case[] = [
  { name: 'sessions of 5,000, metrics and logs', eventsEach: 5_000, logs: true, goal: 4.5 },
  { name: 'sessions of 5,000, metrics only', eventsEach: 5_000, logs: false, goal: 2.2 },
  { name: 'sessions of 25, metrics only', eventsEach: 25, logs: false, goal: 2.5 },
];

type Scope = Readonly<{ runs: number; events: number }>;

/** Each run measures the floor right before the exporter, under the same conditions. */
async function measure({ name, eventsEach, logs, goal }: Case, { runs, events }: Scope) {
  const load: Load = { sessions: events / eventsEach, eventsEach };
  const found: Readonly<{ low: Cost; own: Cost }>[] = [];
  for (let run = 0; run < runs; run += 1) {
    // oxlint-disable-next-line no-await-in-loop -- side by side, one after the other
    const one = { low: await floor(load), own: await exporterCost({ ...load, logs }) };
    found.push(one);
    say(`${name}: floor ${shown(one.low, events)}, exporter ${shown(one.own, events)}`);
  }
  const each = (of: (one: (typeof found)[number]) => number, digits: number): string => spread(found.map(of), digits);
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
  const scope = { runs: flag('runs', 5), events: flag('events', 500_000) };
  const rows: string[][] = [];
  for (const [index, one] of cases.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
    if (flag('only', index) === index) rows.push(await measure(one, scope));
  }
  const head = ['backlog', 'floor, us/event', 'exporter, us/event', 'ratio', 'goal', 'floor, s', 'exporter, s'];
  return { title: 'Catching up', body: `${introduction(scope)}\n\n${table(head, rows)}` };
}

const introduction = ({ runs, events }: Scope): string =>
  `CPU time of the exporter per event, from the first list of sessions to the last delivered event, compared with the floor:
\`request\` and \`body.text()\` of undici and \`JSON.parse\` on the same pages, and nothing else. ${events.toLocaleString('en')} events, default
settings: pages of 1,000 events, OTLP http/protobuf. Server, receiver, floor and exporter each run in their own process on
loopback, so wall time includes the server. The floor runs in plain Node, the exporter with the flags of the image. Medians
of ${String(runs)} runs, each right after its floor (least to most).`;
