// What replicas cost that share many servers and a PostgreSQL: CPU, memory and statements, idle and busy, and how long servers
// stay unread when one replica ends.
// npm run bench -- replicas [--servers 1000] [--minutes 1] [--replicas 2]
import { z } from 'zod';
import { systemClock } from '../src/kernel/clock.js';
import { type Child, hear, start, until } from './rig/child.js';
import { type Exporter, type ExporterOptions, makeHome, startExporter, total } from './rig/exporter.js';
import { type Database, startDatabase } from './rig/postgresql.js';
import { type Section, table } from './rig/report.js';
import { rest } from './rig/server-run.js';
import { flag, median, percentile, say } from './rig/stats.js';

const scrapeEverySeconds = 15;
/** Time until sessions that were opened are found, by the next poll. */
const settleMs = 40_000;
/** Events take up to an interval to be seen; a page shows an increment only after the value before it has been scraped. */
const looks = { most: 24, everyMs: 5_000 };

/** For each replica, or all of them, during a measurement. */
type Load = Readonly<{
  /** Of one replica, in a minute. */
  cpuSeconds: readonly number[];
  rssMb: readonly number[];
  /** Of all replicas. */
  statementsPerSecond: number;
  renewalsPerSecond: number;
}>;

/** Seconds from the signal until each server that the replica held was acquired, and until it was polled again. */
type HandOver = Readonly<{ acquired: readonly number[]; polled: readonly number[] }>;

type Found = Readonly<{
  replicas: number;
  idle: Load;
  busy: Load;
  terminated: HandOver | undefined;
  killed: HandOver | undefined;
  /** Seconds until one that joins has its share. */
  joined: number | undefined;
  taken: number;
  appended: number;
}>;

const farm = z.object({ servers: z.array(z.object({ url: z.string(), version: z.string() })) });
const halted = z.object({ appended: z.number() });

/** A replica, whose home goes with it. */
async function join(options: ExporterOptions): Promise<Exporter> {
  const home = makeHome();
  const exporter = await startExporter(home, options);
  return {
    ...exporter,
    stop: async signal => {
      await exporter.stop(signal);
      home.remove();
    },
  };
}

/** The values of a family by server. */
const byServer = (page: string, family: string): ReadonlyMap<string, number> =>
  new Map(
    [...page.matchAll(new RegExp(`^${family}\\{server="(\\w+)"\\} (\\S+)$`, 'gm'))].map(
      ([, server = '', value]) => [server, Number(value)] as const,
    ),
  );
const acquiredAt = (page: string) => byServer(page, 'vb365_lease_acquired_timestamp_seconds');
const polledAt = (page: string) => byServer(page, 'vb365_last_successful_poll_timestamp_seconds');

const pagesOf = async (crew: readonly Exporter[]): Promise<readonly string[]> =>
  Promise.all(crew.map(async exporter => exporter.metrics().catch(() => '')));

/** Whether each replica holds its share, and has polled all of it. */
async function areSettled(crew: readonly Exporter[], servers: number): Promise<boolean> {
  const pages = await pagesOf(crew);
  const held = pages.map(page => acquiredAt(page).size);
  const share = Math.ceil(servers / crew.length);
  const polled = pages.reduce((sum, page) => sum + polledAt(page).size, 0);
  return polled === servers && held.reduce((sum, one) => sum + one, 0) === servers && Math.max(...held) <= share;
}

/** Scrapes for so long, as Prometheus would. */
async function watch(crew: readonly Exporter[], database: Database, minutes: number): Promise<Load> {
  const before = { usage: crew.map(exporter => exporter.usage()), statements: await database.statements() };
  const beganMs = systemClock.monotonic();
  for (let scrape = 1; scrape <= (minutes * 60) / scrapeEverySeconds; scrape += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one scrape after the other
    await rest(beganMs + scrape * scrapeEverySeconds * 1000 - systemClock.monotonic());
    // oxlint-disable-next-line no-await-in-loop -- as above
    await pagesOf(crew);
  }
  const seconds = (systemClock.monotonic() - beganMs) / 1000;
  const after = { usage: crew.map(exporter => exporter.usage()), statements: await database.statements() };
  const cpu = after.usage.map(({ cpuSeconds }, index) => cpuSeconds - (before.usage[index]?.cpuSeconds ?? 0));
  return {
    cpuSeconds: cpu.map(each => (60 * each) / seconds),
    rssMb: after.usage.map(({ rssMb }) => rssMb),
    statementsPerSecond: (after.statements.all - before.statements.all) / seconds,
    renewalsPerSecond: (after.statements.renewals - before.statements.renewals) / seconds,
  };
}

/** Ends the first of the replicas, and waits until the others have polled its servers. */
async function handOver([first, ...others]: readonly Exporter[], servers: number, signal: NodeJS.Signals) {
  const since = systemClock.now() / 1000;
  const ended = first?.stop(signal);
  const [acquired, polled] = [new Map<string, number>(), new Map<string, number>()];
  await until(async () => {
    const pages = await pagesOf(others);
    for (const page of pages) {
      const moved = [...acquiredAt(page)].filter(([, at]) => at > since);
      const polls = polledAt(page);
      for (const [server, at] of moved) {
        acquired.set(server, at - since);
        const poll = polls.get(server);
        if (poll !== undefined && poll >= at && !polled.has(server)) polled.set(server, poll - since);
      }
    }
    const held = pages.reduce((sum, page) => sum + acquiredAt(page).size, 0);
    return held === servers && polled.size === acquired.size;
  }, 2_000);
  await ended;
  return { acquired: [...acquired.values()], polled: [...polled.values()] };
}

type Scene = Readonly<{ servers: number; simulators: Child; options: ExporterOptions }>;

async function endings({ servers, options }: Scene, crew: Exporter[]) {
  const terminated = await handOver(crew, servers, 'SIGTERM');
  const since = systemClock.monotonic();
  crew.splice(0, 1, await join(options));
  await until(async () => areSettled(crew, servers), 1_000);
  const joined = (systemClock.monotonic() - since) / 1000;
  const killed = await handOver(crew.toReversed(), servers, 'SIGKILL');
  crew.pop();
  return { terminated, joined, killed };
}

/** How many events the pages show in the end; ends early when there are as many as expected. */
async function countedBy(crew: readonly Exporter[], expected: number): Promise<number> {
  let counted = 0;
  for (let look = 0; look < looks.most && counted !== expected; look += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one look after the other
    await rest(looks.everyMs);
    // oxlint-disable-next-line no-await-in-loop -- as above
    const pages = await pagesOf(crew);
    counted = pages.reduce((sum, page) => sum + total(page, 'vb365_restore_events_total'), 0);
    say(`${String(counted)} of ${String(expected)} events`);
  }
  return counted;
}

async function measure(servers: number, replicas: number, minutes: number): Promise<Found> {
  const simulators = start('actors/servers.js', ['--servers', String(servers), '--idle', '1']);
  const { servers: url } = farm.parse(await hear(simulators));
  const database = await startDatabase();
  const scene: Scene = { servers, simulators, options: { url, database } };
  const crew = await Promise.all(Array.from({ length: replicas }, async () => join(scene.options)));
  await until(async () => areSettled(crew, servers), 2_000);
  const idle = await watch(crew, database, minutes);
  say(`${String(replicas)} replicas, idle: ${JSON.stringify(idle)}`);
  simulators.send('go');
  await rest(settleMs);
  const busy = await watch(crew, database, minutes);
  say(`busy: ${JSON.stringify(busy)}`);
  const none = { terminated: undefined, killed: undefined, joined: undefined };
  const ended = replicas === 1 ? none : await endings(scene, crew);
  simulators.send('halt');
  const { appended } = halted.parse(await hear(simulators));
  const taken = await countedBy(crew, appended);
  await Promise.all([...crew.map(async exporter => exporter.stop()), simulators.stop()]);
  await database.remove();
  return { replicas, idle, busy, ...ended, appended, taken };
}

const range = (values: readonly number[], digits: number): string =>
  [...new Set([Math.min(...values), Math.max(...values)].map(value => value.toFixed(digits)))].join(' to ');

/** Half of the servers, and all. */
const times = (values: readonly number[]): string =>
  `${median(values).toFixed(0)}, ${percentile(values, 100).toFixed(0)}`;

function costOf({ replicas, idle, busy, taken, appended }: Found, servers: number): readonly string[] {
  const others = (60 * (idle.statementsPerSecond - idle.renewalsPerSecond)) / servers;
  return [
    String(replicas),
    range(idle.cpuSeconds, 1),
    range(busy.cpuSeconds, 1),
    range(busy.rssMb, 0),
    idle.statementsPerSecond.toFixed(1),
    others.toFixed(2),
    busy.statementsPerSecond.toFixed(1),
    `${String(taken)} of ${String(appended)}`,
  ];
}

const endOf = (how: string, replicas: number, found: HandOver | undefined): readonly (readonly string[])[] =>
  found === undefined
    ? []
    : [
        [
          `one of ${String(replicas)}, ${how}`,
          String(found.acquired.length),
          times(found.acquired),
          times(found.polled),
        ],
      ];

/** 1, 2 and 3 replicas; `--replicas` measures one number of them. */
export async function sharedServers(): Promise<Section> {
  const [servers, minutes, only] = [flag('servers', 1_000), flag('minutes', 1), flag('replicas', 0)];
  const found: Found[] = [];
  for (const count of only > 0 ? [only] : [1, 2, 3]) {
    // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
    found.push(await measure(servers, count, minutes));
    say(JSON.stringify(found.at(-1)));
  }
  const costs = found.map(one => costOf(one, servers));
  const ends = found.flatMap(({ replicas: count, terminated, killed }) => [
    ...endOf('SIGTERM', count, terminated),
    ...endOf('SIGKILL', count, killed),
  ]);
  const joins = found.flatMap(({ replicas: count, joined }) =>
    joined === undefined ? [] : [`${joined.toFixed(0)} s as one of ${String(count)}`],
  );
  const body = [introduction(servers, minutes), table(costHead, costs), endText, table(endHead, ends)];
  if (joins.length > 0)
    body.push(`From the start of a replica until it has its share and all servers are polled: ${joins.join(', ')}.`);
  return { title: 'Replicas', body: body.join('\n\n') };
}

const costHead = [
  'replicas',
  'CPU idle, s/min each',
  'CPU busy, s/min each',
  'RSS, MB each',
  'statements/s idle',
  'per server and minute without renewals',
  'statements/s busy',
  'events taken',
];
const endHead = ['replica that ends', 'servers moved', 'acquired after, s: half, all', 'polled after, s: half, all'];

const endText = `From the signal to the acquisition of its servers by the others, and to the end of their first complete poll there, while busy.`;

const introduction = (servers: number, minutes: number): string =>
  `${servers.toLocaleString('en')} simulated servers in one process, half of them v8 and half v6, each with 50 stopped sessions; a PostgreSQL on the same
machine (with \`fsync\`); replicas in their own processes, default configuration. Idle: nothing happens. Busy: every tenth server has an
open session with a new event every ten seconds. Each ${String(minutes)} min, with a scrape every ${String(scrapeEverySeconds)} s. Statements are those
that \`pg_stat_statements\` counts, \`BEGIN\`, settings and \`COMMIT\` included, of all replicas together.`;
