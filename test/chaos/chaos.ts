import { systemClock } from '../../src/kernel/clock.js';
import { type ExporterProcess, startExporter } from '../support/exporter-process.js';
import { inFolder } from '../support/folder.js';
import { type Book, bookOf } from './book.js';
import { counted, differences, fallen, readExposition, type Samples } from '../support/samples.js';
import { killAt, momentNames, type MomentName, momentOf, scrape } from './kills.js';
import { setStage, type Stage } from './stage.js';

/** What came of it: every list empty and `lost` 0, or a promise is broken. */
export type ChaosReport = Readonly<{
  kills: Readonly<Record<MomentName, number>>;
  seconds: number;
  /** Final events and stopped sessions that the servers held. */
  events: number;
  sessions: number;
  /** Log records that arrived, and how many of them were repetitions. */
  records: number;
  repeated: number;
  /** Events and sessions of which no log record arrived. */
  lost: number;
  /** Log records of nothing that the servers held, and repetitions that are not what arrived first. */
  strays: readonly string[];
  /** Series that differ from the servers' book. */
  differences: readonly string[];
  /** Counters that a scrape showed lower than one before it, across kills. */
  fallen: readonly string[];
  /** Log lines of the program that show a bug. */
  faults: readonly string[];
}>;

export type ChaosOptions = Readonly<{
  kills: number;
  seed: number;
  /** Servers go on until they hold so many events. */
  leastEvents: number;
  /** Called after each life. */
  progress?: (life: number) => void;
}>;

/** What is watched from one life to the next. */
type Watch = { samples: Samples; fallen: string[]; faults: string[]; kills: Record<MomentName, number> };

/** Kills the real program over and over while it reads two servers, lets it come to rest, and compares the books. */
export async function runChaos(options: ChaosOptions): Promise<ChaosReport> {
  const startedMs = systemClock.monotonic();
  const reports: ChaosReport[] = [];
  await inFolder(async folder => {
    const stage = await setStage(folder, options.seed);
    try {
      const watch = await liveAndDie(stage, options);
      const rest = await comeToRest(stage, options, watch);
      reports.push({ ...rest, seconds: Math.round((systemClock.monotonic() - startedMs) / 1000) });
    } finally {
      await stage.close();
    }
  });
  const [report] = reports;
  if (report === undefined) throw new Error('no report was made');
  return report;
}

async function liveAndDie(stage: Stage, { kills, seed, progress }: ChaosOptions): Promise<Watch> {
  const none = Object.fromEntries(momentNames.map(name => [name, 0])) as Record<MomentName, number>;
  const watch: Watch = { samples: new Map(), fallen: [], faults: [], kills: none };
  const scraped = (text: string): void => look(watch, text);
  await withProcess(stage, watch, async child => untilScrape(child, metBoth));
  // What happens within seconds of the first meeting may be history by the program's idea of the servers' clock.
  stage.leap(10_000);
  for (let life = 0; life < kills; life += 1) {
    const moment = momentOf(seed, life);
    stage.openSession();
    await withProcess(stage, watch, async child => killAt(moment, child, { ...stage, scraped }));
    watch.kills[moment.name] += 1;
    progress?.(life + 1);
  }
  return watch;
}

const metBoth = (text: string): boolean =>
  [...text.matchAll(/^vb365_polls_total\{server="\w+",result="complete"\} [1-9]/gm)].length === 2;

/** A life in which the servers come to their end, and the program to its own. */
async function comeToRest(stage: Stage, options: ChaosOptions, watch: Watch): Promise<Omit<ChaosReport, 'seconds'>> {
  const reports: Omit<ChaosReport, 'seconds'>[] = [];
  await withProcess(stage, watch, async child => {
    while (stage.advance() < options.leastEvents) {
      stage.openSession();
      stage.leap(600_000);
    }
    stage.leap(600_000);
    stage.advance();
    const books = stage.servers.map(({ name, simulator }) => bookOf(name, simulator.world));
    const wanted = new Map(books.flatMap(({ samples }) => [...samples]));
    const agree = (text: string): boolean =>
      isIdle(text) && differences(wanted, counted(readExposition(text))).length === 0;
    await untilScrape(child, agree).catch(() =>
      watch.faults.push('it did not come to rest with what the servers hold'),
    );
    reports.push(reportOf(stage, watch, { books, wanted, text: await scrape(child) }));
  });
  const [report] = reports;
  if (report === undefined) throw new Error('no report was made');
  return report;
}

type End = Readonly<{ books: readonly Book[]; wanted: Samples; text: string }>;

function reportOf(
  { accounts, servers }: Stage,
  watch: Watch,
  { books, wanted, text }: End,
): Omit<ChaosReport, 'seconds'> {
  look(watch, text);
  const uids = new Set(books.flatMap(book => [...book.uids]));
  const arrived = accounts.uids();
  const unknown = [...arrived].filter(uid => !uids.has(uid)).map(uid => `of nothing that a server holds: ${uid}`);
  return {
    kills: watch.kills,
    events: books.reduce((sum, { events }) => sum + events, 0),
    sessions: servers.reduce((sum, { simulator }) => sum + simulator.world.sessions().length, 0),
    records: accounts.records(),
    repeated: accounts.records() - arrived.size,
    lost: [...uids].filter(uid => !arrived.has(uid)).length,
    strays: [...accounts.strays(), ...unknown],
    differences: differences(wanted, counted(readExposition(text))),
    fallen: watch.fallen,
    faults: watch.faults,
  };
}

/** Runs the program while `work` lasts, and ends it in any case. One that ended by itself is a fault. */
async function withProcess(stage: Stage, watch: Watch, work: (child: ExporterProcess) => Promise<void>): Promise<void> {
  const child = startExporter(stage.configFile);
  try {
    await work(child);
  } finally {
    child.kill('SIGKILL');
    const end = await child.ended;
    if (end !== 'SIGKILL') watch.faults.push(`it ended by itself: ${String(end)}`);
    watch.faults.push(...child.said.filter(line => /level=(error|fatal)|reason=(bug|store)/.test(line)));
  }
}

function look(watch: Watch, text: string): void {
  const samples = counted(readExposition(text));
  watch.fallen.push(...fallen(watch.samples, samples));
  watch.samples = samples;
}

const isIdle = (text: string): boolean => [...text.matchAll(/^vb365_sink_backlog_sessions\{.*\} 0$/gm)].length === 4;

/** Looks at `/metrics` again and again until `holds` does; fails after five minutes. */
const untilScrape = async (child: ExporterProcess, holds: (text: string) => boolean): Promise<void> =>
  until(async () => holds(await scrape(child)), 300_000);

async function until(holds: () => Promise<boolean> | boolean, withinMs: number): Promise<void> {
  const giveUpAt = systemClock.monotonic() + withinMs;
  while (!(await holds())) {
    if (systemClock.monotonic() > giveUpAt) throw new Error(`Not within ${String(withinMs)} ms: ${holds.toString()}`);
    await systemClock.sleep(100, new AbortController().signal);
  }
}
