// Whether an event costs the same however many there have been, and however many sessions are known: CPU of the exporter
// for each event, with metrics and log records. And what is resident after ten thousand and after a million.
// npm run bench -- growth [--runs 5]
import { type Line, recordsOf, rest, startLine, untilDelivered } from './rig/server-run.js';
import { bars, type Section, spread, table } from './rig/report.js';
import { flag, median, say } from './rig/stats.js';

const sessionSize = 1_000;
/** How many events one process has taken, one after the other. */
const marks = [10_000, 100_000, 400_000, 700_000, 1_000_000];
const knownSessions = [10, 100, 1_000, 10_000];
/** What is new when so many sessions are known: comes twice, the first time to warm up. */
const news = { sessions: 20, eventsEach: 2_500 };
/** Time for work in progress to finish. */
const settleMs = 2_000;

/** What each event of a stretch cost, and what was resident at its end. */
type Stretch = Readonly<{ micros: number; rssMb: number }>;
type Reach = Readonly<{ records: number; events: number }>;

/** Sends the server a command, and waits until so many records have been delivered. */
async function take(line: Line, command: string, { records, events }: Reach): Promise<Stretch> {
  const before = line.exporter.usage();
  line.server.send(command);
  await untilDelivered(line, records);
  const { cpuSeconds } = line.exporter.usage();
  await rest(settleMs);
  return { micros: ((cpuSeconds - before.cpuSeconds) * 1e6) / events, rssMb: line.exporter.usage().rssMb };
}

/** Up to each mark, in one process. */
async function byEvents(): Promise<readonly Stretch[]> {
  const [first = 0] = marks;
  const line = await startLine({ sessions: first / sessionSize, eventsEach: sessionSize });
  const found: Stretch[] = [];
  for (const [index, mark] of marks.entries()) {
    const events = mark - (marks[index - 1] ?? 0);
    const command = index === 0 ? 'go' : `add ${String(events / sessionSize)} ${String(sessionSize)}`;
    // oxlint-disable-next-line no-await-in-loop -- one after the other
    found.push(await take(line, command, { records: recordsOf(mark / sessionSize, sessionSize), events }));
  }
  await line.stop();
  say(found.map(({ micros, rssMb }) => `${micros.toFixed(1)} us ${rssMb.toFixed(0)} MB`).join(', '));
  return found;
}

/** Microseconds for each new event while so many sessions are known. */
async function withKnown(known: number): Promise<number> {
  const line = await startLine({ sessions: known, eventsEach: 2 });
  const more = recordsOf(news.sessions, news.eventsEach);
  const add = `add ${String(news.sessions)} ${String(news.eventsEach)}`;
  const events = news.sessions * news.eventsEach;
  const all = recordsOf(known, 2);
  await take(line, 'go', { records: all, events: known });
  await take(line, add, { records: all + more, events });
  const { micros } = await take(line, add, { records: all + 2 * more, events });
  await line.stop();
  say(`${String(known)} sessions known: ${micros.toFixed(1)} us`);
  return micros;
}

/** So often, one after the other. */
async function repeat<T>(runs: number, once: () => Promise<T>): Promise<readonly T[]> {
  const found: T[] = [];
  // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
  for (let run = 0; run < runs; run += 1) found.push(await once());
  return found;
}

const whole = (count: number): string => count.toLocaleString('en');
const over = (value: number, base: number): string => (value / base).toFixed(2);

/** What the runs found of each stretch. */
function eventRows(found: readonly (readonly Stretch[])[]) {
  const stretches = marks.map((_, index) => found.map(run => run[index] ?? { micros: Number.NaN, rssMb: Number.NaN }));
  const micros = stretches.map(runs => median(runs.map(one => one.micros)));
  const rss = stretches.map(runs => median(runs.map(one => one.rssMb)));
  const rows = stretches.map((runs, index) => [
    `${whole(marks[index - 1] ?? 0)} to ${whole(marks[index] ?? 0)}`,
    spread(
      runs.map(one => one.micros),
      1,
    ),
    over(micros[index] ?? Number.NaN, median(micros.slice(1))),
    spread(
      runs.map(one => one.rssMb),
      0,
    ),
    over(rss[index] ?? Number.NaN, rss[0] ?? Number.NaN),
  ]);
  return { rows, plot: bars(rows.map(([name = ''], index) => ({ name, value: micros[index] ?? Number.NaN }))) };
}

function knownRows(found: readonly (readonly number[])[]) {
  const micros = found.map(median);
  const rows = knownSessions.map((known, index) => [
    whole(known),
    spread(found[index] ?? [], 1),
    over(micros[index] ?? Number.NaN, median(micros)),
  ]);
  return { rows, plot: bars(rows.map(([name = ''], index) => ({ name, value: micros[index] ?? Number.NaN }))) };
}

/** CPU per event as events and sessions become more. */
export async function growth(): Promise<Section> {
  const runs = flag('runs', 5);
  const events = eventRows(await repeat(runs, byEvents));
  const costs: (readonly number[])[] = [];
  // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
  for (const known of knownSessions) costs.push(await repeat(runs, async () => withKnown(known)));
  const sessions = knownRows(costs);
  const eventHead = [
    'events taken by the process',
    'CPU, us/event',
    'relative to the median',
    'RSS, MB',
    'relative to the first',
  ];
  const knownHead = ['sessions known', 'CPU, us/event', 'relative to the median'];
  const body = [
    introduction(runs),
    table(eventHead, events.rows),
    events.plot,
    known,
    table(knownHead, sessions.rows),
    sessions.plot,
  ];
  return { title: 'Growth', body: body.join('\n\n') };
}

const introduction = (runs: number): string =>
  `CPU time of the exporter per event and resident memory, by the number of events that the process has taken, with metrics and log
records (OTLP http/protobuf), sessions of ${whole(sessionSize)} events, pages of 1,000. Goals: flat within 20 % from the 10,000th event to the
millionth, and at most 1.5 times the resident memory after 10,000. Node's compilation is part of the first 10,000 events, which
the median excludes. Medians of ${String(runs)} runs (least to most).`;

const known = `The same for ${whole(news.sessions * news.eventsEach)} new events in ${String(news.sessions)} sessions, by the number of other sessions that are already done, in the state
file and in every list of the server.`;
