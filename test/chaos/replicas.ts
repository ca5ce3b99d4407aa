import { endedOrLate, systemClock } from '../../src/kernel/clock.js';
import { dice, weighted } from '../../src/simulator/random.js';
import { type Postgresql, startPostgresql, urlOf } from '../e2e/support/postgresql.js';
import { type ExporterProcess, startExporter } from '../support/exporter-process.js';
import { inFolder } from '../support/folder.js';
import { counted, differences, fallen, readExposition, type Samples } from '../support/samples.js';
import { bookOf } from './book.js';
import type { ChaosReport } from './chaos.js';
import { scrape } from './kills.js';
import { setStage, type Stage } from './stage.js';

/** What happens to replicas. `cut`: every connection to PostgreSQL ends. */
const disruptions = ['kill', 'stop', 'pause', 'cut', 'crash'] as const;
type Disruption = (typeof disruptions)[number];

/** What came of it: every list empty and `lost` 0, or a promise is broken. */
export type ReplicasReport = Omit<ChaosReport, 'kills'> &
  Readonly<{
    disruptions: Readonly<Record<Disruption, number>>;
    /** Commits that were refused because a lease was lost, as far as the replicas that ran at the end saw them. */
    refusedCommits: number;
  }>;

export type ReplicasOptions = Readonly<{
  replicas: number;
  kills: number;
  seed: number;
  leastEvents: number;
  progress?: (life: number) => void;
}>;

const names = ['hq', 'branch', 'lab', 'north', 'south'];
/** The shortest that the configuration allows. */
const leaseMs = 3_000;
const longestEndMs = 60_000;

type Watch = { samples: Samples; fallen: string[]; faults: string[]; disruptions: Record<Disruption, number> };
type Replicas = (ExporterProcess | undefined)[];
type Scene = Readonly<{ stage: Stage; database: Postgresql; replicas: Replicas; watch: Watch }>;

/** Kills, stops and pauses replicas that share a real PostgreSQL, lets them come to rest, and compares the books. */
export async function runReplicas(options: ReplicasOptions): Promise<ReplicasReport> {
  const startedMs = systemClock.monotonic();
  const database = await startPostgresql();
  const reports: ReplicasReport[] = [];
  try {
    const postgresql = {
      url: urlOf(database.port, await database.createDatabase()),
      lease_time: `${String(leaseMs)}ms`,
    };
    await inFolder(async folder => {
      const stage = await setStage(folder, options.seed, { names, state: { postgresql } });
      const none = Object.fromEntries(disruptions.map(disruption => [disruption, 0])) as Record<Disruption, number>;
      const watch: Watch = { samples: new Map(), fallen: [], faults: [], disruptions: none };
      const replicas: Replicas = Array.from({ length: options.replicas }, () => startExporter(stage.configFile));
      const scene = { stage, database, replicas, watch };
      try {
        await strike(scene, options);
        reports.push({
          ...(await comeToRest(scene, options)),
          seconds: Math.round((systemClock.monotonic() - startedMs) / 1000),
        });
      } finally {
        for (const index of replicas.keys()) await end(scene, index, 'SIGKILL');
        await stage.close();
      }
    });
  } finally {
    await database.remove();
  }
  const [report] = reports;
  if (report === undefined) throw new Error('no report was made');
  return report;
}

const sleep = async (ms: number): Promise<void> => systemClock.sleep(ms, new AbortController().signal);

async function strike(scene: Scene, { kills, seed, progress }: ReplicasOptions): Promise<void> {
  const { stage, watch } = scene;
  await until(
    'all servers are polled',
    async () => (await texts(scene)).join('\n').match(polled)?.length === names.length,
  );
  // What happens within seconds of the first meeting may be history by the program's idea of the servers' clock.
  stage.leap(10_000);
  for (let life = 0; life < kills; life += 1) {
    const random = dice(seed, life, 43);
    const disruption = weighted<Disruption>(random, [
      ['kill', 8],
      ['stop', 5],
      ['pause', 4],
      ['cut', 2],
      ['crash', 1],
    ]);
    for (let n = 0; n < 2; n += 1) stage.openSession();
    await sleep(random() * 1_500);
    await hit(scene, disruption, random);
    watch.disruptions[disruption] += 1;
    await revive(scene);
    if (random() < 0.3) await look(scene);
    progress?.(life + 1);
  }
}

/** Starts replicas again whose start failed. */
async function revive(scene: Scene): Promise<void> {
  for (const [index, child] of scene.replicas.entries())
    if (child?.alive() === false) {
      await end(scene, index, 'SIGKILL');
      scene.replicas[index] = startExporter(scene.stage.configFile);
    }
}

async function hit(scene: Scene, disruption: Disruption, random: () => number): Promise<void> {
  const { database, replicas, stage } = scene;
  const victim = Math.floor(random() * replicas.length);
  if (disruption === 'cut') return database.cut();
  if (disruption === 'crash') {
    await database.stop('crash');
    return database.start();
  }
  if (disruption === 'pause') {
    replicas[victim]?.kill('SIGSTOP');
    await sleep(leaseMs * (0.5 + random()));
    return replicas[victim]?.kill('SIGCONT');
  }
  await end(scene, victim, disruption === 'kill' ? 'SIGKILL' : 'SIGTERM');
  replicas[victim] = startExporter(stage.configFile);
}

/** Ends a replica. One that ended by itself is a fault. */
async function end({ replicas, watch }: Scene, index: number, signal: 'SIGKILL' | 'SIGTERM'): Promise<void> {
  const child = replicas[index];
  if (child === undefined) return;
  replicas[index] = undefined;
  child.kill(signal);
  await endedOrLate(child.ended, longestEndMs);
  if (child.alive()) {
    watch.faults.push(`it did not end within a minute of ${signal}`, ...child.said.slice(-3));
    child.kill('SIGKILL');
  }
  const how = await child.ended;
  // A start fails while PostgreSQL does not answer, and is tried again by whoever runs the replica.
  if (how === 1 && /^Could not (open|enroll servers in) the state in PostgreSQL/.test(child.said.at(-1) ?? '')) return;
  // 3: deliveries were cut; SIGTERM: it was just starting.
  const expected: readonly unknown[] = signal === 'SIGKILL' ? ['SIGKILL'] : [0, 3, 'SIGTERM'];
  if (!expected.includes(how)) watch.faults.push(`it ended by itself: ${String(how)}`, ...child.said.slice(-3));
  watch.faults.push(...child.said.filter(line => /level=(error|fatal)|reason=bug/.test(line)));
}

const polled = /^vb365_polls_total\{server="\w+",result="complete",lease="\d+"\} [1-9]/gm;

/** `/metrics` of each replica that answers. */
const texts = async ({ replicas }: Scene): Promise<readonly string[]> =>
  (
    await Promise.all(
      replicas.map(async child =>
        child === undefined ? '' : Promise.race([scrape(child), child.ended.then(() => '')]),
      ),
    )
  ).map(String);

/** The highest value of each series: a replica that has just woken up still shows an older one. */
function together(pages: readonly string[]): Samples {
  const all = new Map<string, number>();
  for (const page of pages)
    for (const [key, value] of counted(readExposition(page))) all.set(key, Math.max(all.get(key) ?? 0, value));
  return all;
}

/** Series that are not served any more are between two replicas. */
async function look(scene: Scene): Promise<void> {
  const { watch } = scene;
  const samples = together(await texts(scene));
  const before = new Map([...watch.samples].filter(([key]) => samples.has(key)));
  watch.fallen.push(...fallen(before, samples));
  watch.samples = new Map([...watch.samples, ...samples]);
}

async function comeToRest(scene: Scene, options: ReplicasOptions): Promise<Omit<ReplicasReport, 'seconds'>> {
  const { stage, watch } = scene;
  await revive(scene);
  while (stage.advance() < options.leastEvents) {
    stage.openSession();
    stage.leap(600_000);
  }
  stage.leap(600_000);
  stage.advance();
  const books = stage.servers.map(({ name, simulator }) => bookOf(name, simulator.world));
  const wanted = new Map(books.flatMap(({ samples }) => [...samples]));
  const wrong = (pages: readonly string[]): readonly string[] => [
    ...differences(wanted, together(pages)),
    ...names.filter(
      name => pages.filter(page => page.includes(`vb365_sink_delivered_total{server="${name}"`)).length !== 1,
    ),
  ];
  await until('it comes to rest', async () => {
    await revive(scene);
    const pages = await texts(scene);
    return (
      pages.join('\n').match(/^vb365_sink_backlog_sessions\{.*\} 0$/gm)?.length === names.length * 2 &&
      wrong(pages).length === 0
    );
  }).catch((thrown: unknown) => watch.faults.push(String(thrown)));
  await look(scene);
  const pages = await texts(scene);
  const uids = new Set(books.flatMap(book => [...book.uids]));
  const arrived = stage.accounts.uids();
  const unknown = [...arrived].filter(uid => !uids.has(uid)).map(uid => `of nothing that a server holds: ${uid}`);
  return {
    disruptions: watch.disruptions,
    events: books.reduce((sum, { events }) => sum + events, 0),
    sessions: stage.servers.reduce((sum, { simulator }) => sum + simulator.world.sessions().length, 0),
    records: stage.accounts.records(),
    repeated: stage.accounts.records() - arrived.size,
    refusedCommits: pages.reduce(
      (sum, page) => sum + Number(/^vb365_lease_refused_commits_total (\d+)/m.exec(page)?.[1] ?? 0),
      0,
    ),
    lost: [...uids].filter(uid => !arrived.has(uid)).length,
    strays: [...stage.accounts.strays(), ...unknown],
    differences: wrong(pages),
    fallen: watch.fallen,
    faults: watch.faults,
  };
}

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const giveUpAt = systemClock.monotonic() + 300_000;
  while (!(await holds())) {
    if (systemClock.monotonic() > giveUpAt) throw new Error(`Not within five minutes: ${what}`);
    await sleep(200);
  }
}
