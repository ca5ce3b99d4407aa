import { describe, expect, test } from '@jest/globals';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Nanos } from '../../src/model/time.js';
import type { World } from '../../src/simulator/world.js';
import { onPastStage } from '../support/past.js';
import { program } from '../support/program.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { addEvents, nowNanos, openSession, polled } from '../support/stage.js';
import { startPrometheus } from './support/prometheus.js';
import { eventually, freePort, runProgram } from './support/running.js';
import { toolPath } from './support/tools.js';

const daySeconds = 86_400;

/** What each UTC day of the book comes to, by the midnight that ends it. */
function byDay(
  world: World,
  counted: (entry: ReturnType<World['book']> extends Generator<infer E> ? E : never) => number,
) {
  const days = new Map<number, number>();
  for (const entry of world.book()) {
    const at: Nanos = entry.event.endedAt ?? entry.event.startedAt;
    const day = Math.ceil(Number(at / 1_000_000n) / 1000 / daySeconds);
    days.set(day, (days.get(day) ?? 0) + counted(entry));
  }
  return days;
}

async function createBlocks(file: string, tsdb: string): Promise<void> {
  mkdirSync(tsdb);
  const args = ['tsdb', 'create-blocks-from', 'openmetrics', '--max-block-duration=2000h', '--quiet', file, tsdb];
  expect(await runProgram({ path: toolPath('promtool'), args })).toMatchObject({ code: 0 });
}

type Matrix = Readonly<{ result: readonly Readonly<{ values: readonly (readonly [number, string])[] }>[] }>;

describe('backfill into a real Prometheus', () => {
  test('each of 365 days equals the book, and the seam counts nothing twice', async () => {
    const history = { sessions: 500, eventsEach: 12, days: 366 } as const;
    await onPastStage({ history }, {}, async ({ run, folder, simulator }) => {
      const { world } = simulator;
      const past = [...world.book()].length;
      const port = await freePort();
      const app = await program(configOf(folder, serverConfig(simulator.url, { apiVersion: 'v8' })), port);
      const target = `127.0.0.1:${String(port)}`;
      const [out, tsdb] = [join(folder, 'past.om'), join(folder, 'tsdb')];
      await eventually('the first poll', async () => ((await polled(app)) ? true : undefined));
      const labels = ['--label', 'job=vb365', '--label', `instance=${target}`];
      expect(await run(['backfill', '--step', '6h', '--out', out, ...labels])).toMatchObject({ code: 0, printed: [] });
      await createBlocks(out, tsdb);
      const prometheus = await startPrometheus({ target, intervalSeconds: 1, tsdb });
      try {
        const today = Math.floor(Number(nowNanos() / 1_000_000_000n) / daySeconds);
        // As the dashboards count a bar of a day, with 15 s between scrapes.
        const perDay = async (series: string): Promise<readonly (readonly [number, number])[]> => {
          const bar = `sum(round(increase(${series}[86415s]) * 86400 / 86415)) or vector(0)`;
          const range = `start=${String((today - 364) * daySeconds)}&end=${String(today * daySeconds)}&step=86400`;
          const { result } = (await prometheus.data(`query_range?query=${encodeURIComponent(bar)}&${range}`)) as Matrix;
          return (result[0]?.values ?? []).map(([at, value]) => [at / daySeconds, Number(value)]);
        };
        const equal = async (series: string, book: ReadonlyMap<number, number>): Promise<void> => {
          const counted = await perDay(series);
          expect(counted).toHaveLength(365);
          expect(counted).toEqual(counted.map(([day]) => [day, book.get(day) ?? 0]));
        };
        await equal(
          'vb365_restore_events_total',
          byDay(world, () => 1),
        );
        await equal(
          'vb365_restore_events_total{status="Failed"}',
          byDay(world, ({ event }) => Number(event.status === 'Failed')),
        );
        await equal(
          'vb365_restore_item_duration_seconds_count',
          byDay(world, ({ event }) => Number(event.type !== 'None' && /Success|Warning|Failed/.test(event.status))),
        );
        const all = 'sum(round(increase(vb365_restore_events_total[400d])))';
        expect(await prometheus.query(all)).toBe(past);
        addEvents(world, openSession(world), 7);
        await eventually('the new events', async () => ((await prometheus.query(all)) === past + 7 ? true : undefined));
      } finally {
        await prometheus.stop();
        await app.stop(5_000);
      }
    });
  });
});
