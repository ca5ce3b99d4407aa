// What people use today, and what a good engineer writes in an afternoon, compared with the exporter: the same world and the same
// events. Server, receiver and contestant run in their own processes.
// npm run bench -- against [--runs 3] [--only 0]
import { cells } from './baselines/cells.js';
import { type Contestant, exporter, fetchSdk, naiveAll, naiveFirst } from './baselines/contestants.js';
import { backlog, live, type Outcome, type Scenario } from './baselines/outcome.js';
import { pause, type Stage, type World } from './baselines/stage.js';
import { type Section, table } from './rig/report.js';
import { flag, say } from './rig/stats.js';

const quiet: World = { open: 20, old: 500, each: 10, days: 30, rate: 2 };
const busy: World = { open: 20, old: 50, each: 10, days: 30, rate: 5 };
const behind: World = { open: 0, old: 200, each: 100, days: 1, rate: 0 };
const large: World = { open: 0, old: 4, each: 5_000, days: 1, rate: 0, answerMs: 100 };

const running: Scenario = { world: quiet, seconds: 15, quietSeconds: 7 };
const outage: Scenario = {
  world: busy,
  seconds: 22,
  quietSeconds: 40,
  trouble: async ({ receiver }: Stage) => {
    await pause(3);
    receiver.send('down');
    await pause(14);
    receiver.send('up');
  },
};
const crash: Scenario = {
  world: busy,
  seconds: 12,
  quietSeconds: 8,
  trouble: async ({ kill, enter }: Stage) => {
    await pause(4);
    await kill();
    await pause(2);
    await enter();
  },
};

type Act = Readonly<{
  title: string;
  contestants: readonly Contestant[];
  run: (contestant: Contestant, seed: number) => Promise<Outcome>;
  /** All at once, each in its own world: where the truth is asked for, not what it costs. */
  together?: boolean;
  cells: readonly (keyof typeof cells)[];
}>;

const everyone = [naiveFirst, naiveAll, fetchSdk, exporter];
const acts: readonly Act[] = [
  {
    title: '15 s of 2 events a second in 20 open sessions, with 500 old ones',
    contestants: everyone,
    run: async (contestant, seed) => live(contestant, running, seed),
    cells: ['server', 'receiver', 'cpu', 'memory', 'events', 'lost', 'repeated', 'old', 'lag50', 'lag99'],
  },
  {
    title: 'A backlog of 20,000 events: 200 stopped sessions of 100',
    contestants: everyone,
    run: async (contestant, seed) => backlog(contestant, behind, seed),
    cells: ['seconds', 'server', 'receiver', 'cpu', 'memory', 'events', 'lost', 'repeated'],
  },
  {
    title: 'A backlog of 20,000 events: 4 stopped sessions of 5,000, and a receiver that takes 100 ms to answer',
    contestants: [fetchSdk, exporter],
    run: async (contestant, seed) => backlog(contestant, large, seed),
    cells: ['seconds', 'server', 'receiver', 'cpu', 'memory', 'events', 'lost', 'repeated'],
  },
  {
    title: 'The receiver answers 503 for 14 of 22 s, at 5 events a second',
    contestants: [naiveAll, fetchSdk, exporter],
    run: async (contestant, seed) => live(contestant, outage, seed),
    together: true,
    cells: ['server', 'receiver', 'events', 'lost', 'repeated', 'lag50', 'lag99'],
  },
  {
    title: 'Killed (SIGKILL) 4 s into 12 s of 5 events a second, started again 2 s later',
    contestants: [naiveAll, fetchSdk, exporter],
    run: async (contestant, seed) => live(contestant, crash, seed),
    together: true,
    cells: ['server', 'receiver', 'events', 'lost', 'repeated', 'counted', 'lag50', 'lag99'],
  },
];

/** What one run has come to, in the order of the contestants. */
async function outcomesOf({ contestants, run, together = false }: Act, seed: number): Promise<readonly Outcome[]> {
  if (together) return Promise.all(contestants.map(async contestant => run(contestant, seed)));
  const outcomes: Outcome[] = [];
  // oxlint-disable-next-line no-await-in-loop -- two at once would measure each other
  for (const contestant of contestants) outcomes.push(await run(contestant, seed));
  return outcomes;
}

async function play(act: Act, runs: number): Promise<string> {
  const shown = act.cells.map(name => cells[name]);
  const found: (readonly Outcome[])[] = [];
  const rows = () =>
    act.contestants.map(({ name }, at) => {
      const outcomes = found.flatMap(run => run.slice(at, at + 1));
      return [name, ...shown.map(({ of }) => of(outcomes))];
    });
  for (let seed = 1; seed <= runs; seed += 1) {
    // oxlint-disable-next-line no-await-in-loop -- as above
    found.push(await outcomesOf(act, seed));
    say(`${act.title}, run ${String(seed)}`);
  }
  return `### ${act.title}\n\n${table(['', ...shown.map(({ head }) => head)], rows())}`;
}

/** `--only <n>` plays one act. */
export async function against(): Promise<Section> {
  const runs = flag('runs', 3);
  const played: string[] = [];
  for (const [index, act] of acts.entries()) {
    // oxlint-disable-next-line no-await-in-loop -- as above
    if (flag('only', index) === index) played.push(await play(act, runs));
  }
  return { title: 'Against what people use today', body: [introduction(runs), ...played].join('\n\n') };
}

const introduction = (runs: number): string =>
  `The same simulated server (v8) and the same events for each, one after the other, in the last two tables at the same time. Server,
OTLP http/json receiver and contestant each run in their own process on loopback. Medians of ${String(runs)} runs, with (least to most)
where they differ; lags over the events of all runs. All poll every 5 s while a session is open, otherwise every 30 s. The change
feed of this server reports sessions, not their events, because nothing proves that a real one does.

- **Naive loop**: our stand-in for community scripts (\`bench/baselines/naive.ts\` names them): one request per session and poll,
  the default page of 30 rows, one request per record, a gauge per session, no state over a restart. Scripts that read restore
  events read only first pages; "all pages" is a kinder variant. Also kinder: one Node process instead of curl and jq per row, a
  poll every 5 s instead of cron, and no duplicates within one run.
- **\`fetch\` and OTel SDK**: what a good engineer writes in an afternoon (\`bench/baselines/fetch-sdk.ts\`): pages of 1,000,
  sessions of the last week, a set of sent events in memory, \`BatchLogRecordProcessor\` with its defaults. No metrics.
- **vb365-exporter**: default configuration. Its cost includes metrics and the state on disk. After a refusal it backs off, up to
  a minute, which shows in its lag.

"Lost": had not arrived when nothing had arrived for longer than a poll, 40 s after the outage. "Repeated": arrived again, old
events included. "Old reported as new": ended before the contestant was first started. No event of this world is first listed as
running, or listed late.`;
