// Whether an event costs the same however many there have been, and however many sessions are known: CPU of the exporter
// for each event, with metrics and log records.
// npm run bench -- growth [--runs 5]
import { type Line, recordsOf, rest, startLine, untilDelivered } from './rig/line.js';
import { bars, type Section, spread, table } from './rig/report.js';
import { flag, median, say } from './rig/stats.js';

const sessionSize = 1_000;
/** How many events have been taken before, and with the last are. */
const marks = [10_000, 100_000, 250_000, 500_000, 750_000, 1_000_000];
const knownSessions = [10, 100, 1_000, 10_000];

/** Microseconds of CPU for each of `events` that come with these sessions. */
async function costOf(line: Line, add: string, { records, events }: Readonly<{ records: number; events: number }>) {
  const before = line.exporter.usage();
  line.server.tell(add);
  await untilDelivered(line, records);
  return ((line.exporter.usage().cpuSeconds - before.cpuSeconds) * 1e6) / events;
}

/** Between each two marks, microseconds for each event. */
async function byEvents(): Promise<readonly number[]> {
  const [first = 0, ...others] = marks;
  const line = await startLine({ sessions: first / sessionSize, eventsEach: sessionSize });
  const costs = [await costOf(line, 'go', { records: recordsOf(first / sessionSize, sessionSize), events: first })];
  let taken = first;
  for (const mark of others) {
    const add = `add ${String((mark - taken) / sessionSize)} ${String(sessionSize)}`;
    const reach = { records: recordsOf(mark / sessionSize, sessionSize), events: mark - taken };
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    costs.push(await costOf(line, add, reach));
    taken = mark;
  }
  await line.stop();
  say(`by events: ${costs.map(cost => cost.toFixed(1)).join(' ')} us`);
  return costs;
}

/** What is new when so many sessions of one event are known: read twice, the first time to warm up. */
const news = { sessions: 40, eventsEach: 2_500 };

/** Microseconds for each new event while so many sessions are known. */
async function withKnown(known: number): Promise<number> {
  const line = await startLine({ sessions: known, eventsEach: 2 });
  line.server.tell('go');
  const before = recordsOf(known, 2);
  await untilDelivered(line, before);
  const add = `add ${String(news.sessions)} ${String(news.eventsEach)}`;
  const more = recordsOf(news.sessions, news.eventsEach);
  const events = news.sessions * news.eventsEach;
  await costOf(line, add, { records: before + more, events });
  await rest(1_000);
  const cost = await costOf(line, add, { records: before + 2 * more, events });
  await line.stop();
  say(`${String(known)} sessions known: ${cost.toFixed(1)} us`);
  return cost;
}

/** So often, one after the other. */
async function repeat<T>(runs: number, once: () => Promise<T>): Promise<readonly T[]> {
  const found: T[] = [];
  // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
  for (let run = 0; run < runs; run += 1) found.push(await once());
  return found;
}

/** One line of each, with what the last is over the first. */
function shown(what: string, names: readonly string[], costs: readonly (readonly number[])[]): string {
  const middle = costs.map(median);
  const rows = names.map((name, index) => [name, spread(costs[index] ?? [], 1), ratio(middle[index], middle)]);
  const plot = bars(names.map((name, index) => ({ name, value: middle[index] ?? Number.NaN })));
  return `${table([what, 'CPU, us/event', 'over the median of all'], rows)}\n\n${plot}`;
}

const ratio = (value: number | undefined, all: readonly number[]): string =>
  ((value ?? Number.NaN) / median(all)).toFixed(2);

const whole = (count: number): string => count.toLocaleString('en');

/** CPU per event as events and sessions become more. */
export async function growth(): Promise<Section> {
  const runs = flag('runs', 5);
  const million = await repeat(runs, byEvents);
  const events = marks.slice(1).map((_, index) => million.map(costs => costs[index + 1] ?? Number.NaN));
  const spans = marks.slice(1).map((mark, index) => `${whole(marks[index] ?? 0)} to ${whole(mark)}`);
  const sessions: (readonly number[])[] = [];
  // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
  for (const known of knownSessions) sessions.push(await repeat(runs, async () => withKnown(known)));
  const body = [
    introduction(runs),
    `The first 10,000 events of a process cost ${spread(
      million.map(([first = Number.NaN]) => first),
      1,
    )} us each: what Node compiles on the way is part of it.`,
    shown('events taken by the process', spans, events),
    `With so many sessions known (done, in the state file, and in every list of the server), ${whole(news.sessions * news.eventsEach)} new events:`,
    shown('sessions known', knownSessions.map(whole), sessions),
  ];
  return { title: 'Growth', body: body.join('\n\n') };
}

const introduction = (runs: number): string =>
  `CPU time of the exporter for each new event, with metrics and log records (OTLP http/json). Goal: flat within 20 %.
Medians of ${String(runs)} runs (least to most).`;
