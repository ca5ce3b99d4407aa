// What it costs to keep the state in PostgreSQL: catching up with the same backlog with PostgreSQL and with SQLite, in pairs.
// npm run bench -- stores [--runs 5] [--events 100000]
import { type Cost, exporterCost } from './catch-up.js';
import { startDatabase } from './rig/postgresql.js';
import { type Section, spread, table } from './rig/report.js';
import { flag, say } from './rig/stats.js';

type Pair = Readonly<{ sqlite: Cost; postgresql: Cost; /** For each 1,000 events. */ statements: number }>;

type Case = Readonly<{ name: string; eventsEach: number; logs: boolean }>;

const cases: readonly Case[] = [
  { name: 'sessions of 5,000, metrics and logs', eventsEach: 5_000, logs: true },
  { name: 'sessions of 25, metrics only', eventsEach: 25, logs: false },
];

/** Every other pair begins with PostgreSQL, because a machine changes in a minute. */
async function pair({ eventsEach, logs }: Case, events: number, run: number): Promise<Pair> {
  const load = { sessions: events / eventsEach, eventsEach, logs };
  const database = await startDatabase();
  const inDatabase = async (): Promise<Pick<Pair, 'postgresql' | 'statements'>> => {
    const before = await database.statements();
    const postgresql = await exporterCost({ ...load, database });
    return { postgresql, statements: (1_000 * ((await database.statements()).all - before.all)) / events };
  };
  try {
    if (run % 2 === 0) return { sqlite: await exporterCost(load), ...(await inDatabase()) };
    return { ...(await inDatabase()), sqlite: await exporterCost(load) };
  } finally {
    await database.remove();
  }
}

/** Events per second and CPU of the exporter with PostgreSQL, relative to SQLite. */
export async function stores(): Promise<Section> {
  const [runs, events] = [flag('runs', 5), flag('events', 100_000)];
  const rows: string[][] = [];
  for (const one of cases) {
    const found: Pair[] = [];
    for (let run = 0; run < runs; run += 1) {
      // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
      found.push(await pair(one, events, run));
      say(JSON.stringify(found.at(-1)));
    }
    const each = (of: (one: Pair) => number, digits: number): string => spread(found.map(of), digits);
    rows.push([
      one.name,
      each(({ sqlite }) => events / sqlite.wallSeconds, 0),
      each(({ postgresql }) => events / postgresql.wallSeconds, 0),
      each(({ sqlite, postgresql }) => sqlite.wallSeconds / postgresql.wallSeconds, 2),
      each(({ sqlite, postgresql }) => postgresql.cpuSeconds / sqlite.cpuSeconds, 2),
      each(({ statements }) => statements, 1),
    ]);
  }
  const head = [
    'backlog',
    'SQLite, events/s',
    'PostgreSQL, events/s',
    'ratio',
    'ratio of CPU',
    'statements/1,000 events',
  ];
  return { title: 'PostgreSQL against SQLite', body: `${introduction(runs, events)}\n\n${table(head, rows)}` };
}

const introduction = (runs: number, events: number): string =>
  `Catching up with ${events.toLocaleString('en')} events of one server as in "Catching up", with the state in a PostgreSQL on the same machine
(with \`fsync\`) and in a file, one right after the other, in turns first. CPU is that of the exporter only. Medians of ${String(runs)} pairs
(least to most).`;
