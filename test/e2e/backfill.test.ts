import { describe, expect, test } from '@jest/globals';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../src/kernel/clock.js';
import type { Nanos } from '../../src/model/time.js';
import { simulate } from '../../src/simulator/simulate.js';
import type { World } from '../../src/simulator/world.js';
import { onPastStage, type PastStage } from '../support/past.js';
import { type Program, program } from '../support/program.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { addEvents, nowNanos, oldSession, openSession, polled, restored } from '../support/stage.js';
import { startPostgresql, stateIn, urlOf } from './support/postgresql.js';
import { type Prometheus, startPrometheus } from './support/prometheus.js';
import { eventually, freePort, runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

const daySeconds = 86_400;

type BookEntry = ReturnType<World['book']> extends Generator<infer E> ? E : never;

/** What each bar of the books comes to, by the number of the bar that it ends. */
function byBar(worlds: readonly World[], seconds: number, counted: (entry: BookEntry) => number) {
  const bars = new Map<number, number>();
  for (const entry of worlds.flatMap(world => [...world.book()])) {
    const at: Nanos = entry.event.endedAt ?? entry.event.startedAt;
    const bar = Math.ceil(Number(at / 1_000_000n) / 1000 / seconds);
    bars.set(bar, (bars.get(bar) ?? 0) + counted(entry));
  }
  return bars;
}

async function createBlocks(file: string, tsdb: string): Promise<void> {
  mkdirSync(tsdb, { recursive: true });
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--max-block-duration=2000h', '--quiet', file, tsdb];
  expect(await runProgram({ path: toolPath('promtool'), args })).toMatchObject({ code: 0 });
}

type Matrix = Readonly<{ result: readonly Readonly<{ values: readonly (readonly [number, string])[] }>[] }>;

/** Bars as the dashboards count them, with 15 s between scrapes, by number. */
async function barsOf(
  prometheus: Prometheus,
  series: string,
  { seconds, first, last }: Readonly<{ seconds: number; first: number; last: number }>,
): Promise<readonly (readonly [number, number])[]> {
  const window = seconds + 15;
  const bar = `sum(round(increase(${series}[${String(window)}s]) * ${String(seconds)} / ${String(window)})) or vector(0)`;
  const range = `start=${String(first * seconds)}&end=${String(last * seconds)}&step=${String(seconds)}`;
  const { result } = (await prometheus.data(`query_range?query=${encodeURIComponent(bar)}&${range}`)) as Matrix;
  return (result[0]?.values ?? []).map(([at, value]) => [at / seconds, Number(value)]);
}

const sortedLabels = (labels: object): string =>
  JSON.stringify(Object.entries(labels).toSorted(([a], [b]) => (a < b ? -1 : 1)));

/** A label set without the values that differ from series to series of a family. */
const shapeOf = (labels: string): string =>
  labels.replaceAll(/(\["(?!(?:__name__|job|instance|le)")\w+"),"[^"]*"\]/g, '$1]');

const all = 'sum(round(increase(vb365_restore_events_total[400d])))';

/** The label sets of the counters that have samples in a range of times. */
async function seriesIn(prometheus: Prometheus, start: number, end: number): Promise<ReadonlySet<string>> {
  const match = encodeURIComponent(
    '{__name__=~"vb365_restore_(events_total|owner.*|item.*|sessions_(total|failed_total)|session_duration.*)"}',
  );
  const found = await prometheus.data(`series?match[]=${match}&start=${String(start)}&end=${String(end)}`);
  return new Set(Array.isArray(found) ? found.map(sortedLabels) : []);
}

/** Writes the configuration for the commands: servers by name, and where the state is. */
function configure({ folder }: PastStage, urls: Readonly<Record<string, string>>, state: object): void {
  const servers = Object.entries(urls).map(([name, url]) => ({
    name,
    url,
    username: 'simulator',
    password_file: 'password',
  }));
  writeFileSync(join(folder, 'config.yaml'), JSON.stringify({ servers, state }));
}

async function started(...[config, port]: Parameters<typeof program>): Promise<Program> {
  const app = await program(config, port);
  // A gauge has the same labels on a replica.
  await eventually('the first poll', async () =>
    app.value('vb365_last_successful_poll_timestamp_seconds{server="hq"}'),
  );
  return app;
}

describe('backfill into a real Prometheus', () => {
  test('each of 365 days equals the books of two servers, and the seam counts nothing twice', async () => {
    const branch = await simulate({ clock: systemClock, seed: 2, history: { sessions: 60, eventsEach: 9, days: 366 } });
    await onPastStage({ history: { sessions: 300, eventsEach: 12, days: 366 } }, {}, async stage => {
      const { run, folder, simulator } = stage;
      const worlds = [simulator.world, branch.world];
      oldSession(simulator.world, 2, 3); // of the series that is counted live, too
      const counted = (): number => worlds.reduce((sum, world) => sum + [...world.book()].length, 0);
      const past = counted();
      configure(stage, { hq: simulator.url, branch: branch.url }, { path: 'state.db' });
      const servers = [simulator.url, branch.url].map((url, index) =>
        serverConfig(url, { apiVersion: 'v8', name: index === 0 ? 'hq' : 'branch' }),
      );
      const config = { ...configOf(folder, serverConfig(simulator.url)), servers };
      const port = await freePort();
      let app = await started(config, port);
      await eventually('both servers', async () => ((await polled(app, 'branch')) ? true : undefined));
      const target = `127.0.0.1:${String(port)}`;
      const [out, fine, tsdb] = [join(folder, 'past.om'), join(folder, 'fine.om'), join(folder, 'tsdb')];
      const labels = ['--label', 'job=vb365', '--label', `instance=${target}`];
      const today = Math.floor(Number(nowNanos() / 1_000_000_000n) / daySeconds);
      // As the documentation says for a long past: the last days more finely.
      const middle = new Date((today - 2) * daySeconds * 1000).toISOString();
      const coarsely = ['--step', '12h', '--to', middle, '--out', out];
      for (const flags of [coarsely, ['--from', middle, '--out', fine]]) {
        expect(await run(['backfill', ...flags, ...labels])).toMatchObject({ code: 0, printed: [] });
        await createBlocks(flags === coarsely ? out : fine, tsdb);
      }
      const prometheus = await startPrometheus({ target, intervalSeconds: 1, tsdb });
      try {
        const equal = async (
          series: string,
          bars: Readonly<{ seconds: number; first: number; last: number }>,
          of: (entry: BookEntry) => number,
        ): Promise<void> => {
          const book = byBar(worlds, bars.seconds, of);
          const found = await barsOf(prometheus, series, bars);
          expect(found).toHaveLength(bars.last - bars.first + 1);
          expect(found).toEqual(found.map(([bar]) => [bar, book.get(bar) ?? 0]));
        };
        const days = { seconds: daySeconds, first: today - 364, last: today };
        expect(byBar(worlds, daySeconds, () => 1).size).toBeLessThan(366); // there are days without events
        await equal('vb365_restore_events_total', days, () => 1);
        await equal('vb365_restore_events_total{status="Failed"}', days, ({ event }) =>
          Number(event.status === 'Failed'),
        );
        const isTimed = ({ event }: BookEntry): number =>
          Number(event.type !== 'None' && /Success|Warning|Failed/.test(event.status));
        await equal('vb365_restore_item_duration_seconds_count', days, isTimed);
        await equal('vb365_restore_item_duration_seconds_bucket{le="+Inf"}', days, isTimed);
        expect(await prometheus.query(all)).toBe(past);

        // Bars overlap by the time between two scrapes, as those of the dashboards: what is counted in it is in both.
        await eventually(
          'the next bar',
          async () => (systemClock.now() % 300_000 < 250_000 ? true : undefined),
          60_000,
        );
        addEvents(simulator.world, openSession(simulator.world), 7);
        const isCounted = async (): Promise<true | undefined> =>
          (await prometheus.query(all)) === counted() ? true : undefined;
        await eventually('the new events', isCounted);
        // With few samples, increase() extrapolates much.
        const scrapes = `count_over_time(${restored}[1m])`;
        const isLong = async (): Promise<true | undefined> =>
          ((await prometheus.query(scrapes)) ?? 0) > 30 ? true : undefined;
        await eventually('half a minute of scrapes', isLong, 60_000);
        // Bars over the seam, of every width that a dashboard of a day has; the last bar has not ended.
        for (const seconds of [300, 1800, 3600]) {
          const last = Math.ceil(systemClock.now() / 1000 / seconds);
          const bars = { seconds, first: last - daySeconds / seconds, last };
          await equal('vb365_restore_events_total', bars, () => 1);
        }

        const nowSeconds = systemClock.now() / 1000;
        const [live, before] = [
          await seriesIn(prometheus, nowSeconds - 5, nowSeconds + 5),
          await seriesIn(prometheus, 0, nowSeconds - 3600),
        ];
        const shapes = new Set([...before].map(shapeOf));
        expect([...live].filter(labelSet => !shapes.has(shapeOf(labelSet)))).toEqual([]);
        expect([...live].filter(labelSet => before.has(labelSet)).length).toBeGreaterThan(5);

        await app.stop(5_000);
        app = await started(config, port);
        addEvents(simulator.world, openSession(simulator.world), 5);
        await eventually('the events after a restart', isCounted);
      } finally {
        await prometheus.stop();
        await app.stop(5_000);
        await branch.close();
      }
    });
  });
});

test('backfill ends where live counting began, with the state of two replicas in PostgreSQL', async () => {
  const postgresql = await startPostgresql();
  try {
    await onPastStage({}, {}, async stage => {
      const { run, folder, simulator } = stage;
      const database = await postgresql.createDatabase();
      configure(stage, { hq: simulator.url }, { postgresql: { url: urlOf(postgresql.port, database) } });
      const config = {
        ...configOf(folder, serverConfig(simulator.url)),
        state: { path: join(folder, 'none.db'), postgresql: stateIn(postgresql.port, database) },
      };
      const flags = ['backfill', '--out', '-'];
      expect(await run(flags)).toEqual({
        code: 2,
        printed: [],
        errors: [
          'Could not find out when live counting began: the state in PostgreSQL has nothing of server "hq"; say it with "--to"',
        ],
      });
      expect(await run([...flags, '--to', 'now'])).toMatchObject({ code: 0 });
      const [one, two] = [await started(config), await program(config)];
      try {
        const past = [...simulator.world.book()].length;
        addEvents(simulator.world, openSession(simulator.world), 7);
        const liveCount = async (): Promise<number> =>
          [...(await one.get('/metrics')).text.matchAll(/^vb365_restore_events_total\{.*\} (\d+)$/gm)].reduce(
            (sum, [, value]) => sum + Number(value),
            0,
          );
        await eventually('the new events', async () => ((await liveCount()) === 7 ? true : undefined));
        const shown = (await run(['state', 'show', '--json'])).printed.join('\n');
        const sinceMs = Date.parse((/"metrics": "(.*?)"/.exec(shown) ?? [])[1] ?? '');
        for (const more of [[], ['--to', 'now']]) {
          const { printed } = await run([...flags, ...more]);
          const samples = printed.flatMap(line => {
            const [, value, at] = /^vb365_restore_events_total\{.*\} (\S+) (\S+)$/.exec(line) ?? [];
            return at === undefined ? [] : [{ value: Number(value), atMs: Math.round(Number(at) * 1000) }];
          });
          expect(Math.max(...samples.map(({ atMs }) => atMs))).toBe(sinceMs + 1);
          const last = samples.filter(({ atMs }) => atMs === sinceMs);
          expect(last.reduce((sum, { value }) => sum + value, 0)).toBe(past);
        }
        await postgresql.stop('shutdown');
        expect(await run([...flags, '--to', 'now'])).toMatchObject({
          code: 1,
          printed: [],
          errors: [expect.stringMatching(/^Could not .*PostgreSQL/)],
        });
        await postgresql.start();
      } finally {
        for (const app of [two, one]) await app.stop(5_000);
      }
    });
  } finally {
    await postgresql.remove();
  }
});
