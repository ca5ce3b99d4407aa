import { expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import { bookOf } from '../chaos/book.js';
import { setStage } from '../chaos/stage.js';
import { type ExporterProcess, startExporter } from '../support/exporter-process.js';
import { inFolder } from '../support/folder.js';
import { counted, differences, keyOf, type Samples } from '../support/samples.js';
import { type Labels, type Prometheus, startPrometheus } from './support/monitoring.js';
import { startPostgresql, urlOf } from './support/postgresql.js';
import { eventually, freePort } from './support/running.js';

const names = ['hq', 'branch', 'lab', 'north', 'south', 'west'];
const leaseMs = 6_000;
const sleep = async (ms: number): Promise<void> => systemClock.sleep(ms, new AbortController().signal);

type Line = Readonly<{ metric: Labels; values: readonly (readonly [at: number, value: string])[] }>;

/** Every sample of a selector. */
const samplesOf = async (prometheus: Prometheus, selector: string): Promise<readonly Line[]> =>
  (await prometheus.data<{ result: readonly Line[] }>(`query?query=${encodeURIComponent(`${selector}[1h]`)}`)).result;

/** The points of a graph with a point each second. */
async function graphOf(prometheus: Prometheus, expr: string, fromMs: number): Promise<readonly Line[]> {
  const [start, end] = [fromMs / 1000, systemClock.now() / 1000].map(String);
  const path = `query_range?query=${encodeURIComponent(expr)}&start=${start ?? ''}&end=${end ?? ''}&step=1`;
  return (await prometheus.data<{ result: readonly Line[] }>(path)).result;
}

/** A series without what says who serves it. Prometheus writes `le="5.0"`. */
function keyAcross({ __name__: name = '', le, ...others }: Labels): string {
  const labels = Object.entries(others).filter(([label]) => !['instance', 'job', 'lease'].includes(label));
  const bound = le === undefined || le === '+Inf' ? le : String(Number(le));
  return keyOf(name, { ...Object.fromEntries(labels), ...(bound === undefined ? {} : { le: bound }) });
}

const total = (samples: Samples): number => [...samples.values()].reduce((sum, value) => sum + value, 0);

/** What `increase()` counts, without its extrapolation: all that each series grew by, summed over the replicas. */
function increased(lines: readonly Line[]): Samples {
  const sums = new Map<string, number>();
  for (const { metric, values } of lines) {
    const grown = values.reduce((sum, [, value], n) => {
      const before = Number(values[n - 1]?.[1] ?? value);
      return sum + (Number(value) < before ? Number(value) : Number(value) - before);
    }, 0);
    sums.set(keyAcross(metric), (sums.get(keyAcross(metric)) ?? 0) + grown);
  }
  return sums;
}

/** What `sum without (instance)` shows now. */
async function summed(prometheus: Prometheus): Promise<Samples> {
  const path = `query?query=${encodeURIComponent('{__name__=~"vb365_.*"}')}`;
  const { result } = await prometheus.data<{ result: { metric: Labels; value: [number, string] }[] }>(path);
  const sums = new Map<string, number>();
  for (const { metric, value } of result)
    sums.set(keyAcross(metric), (sums.get(keyAcross(metric)) ?? 0) + Number(value[1]));
  return counted(sums);
}

/** Points of a graph that are lower than one before them. */
const fallenIn = (lines: readonly Line[]): readonly string[] =>
  lines.flatMap(({ metric, values }) =>
    values.flatMap(([at, value], n) => {
      const before = Number(values[n - 1]?.[1] ?? value);
      return Number(value) < before ? [`${JSON.stringify(metric)} at ${String(at)}: ${String(before)}, ${value}`] : [];
    }),
  );

/** Alerts that ended, after they had begun. */
const endedIn = (lines: readonly Line[], untilMs: number): readonly string[] =>
  lines.flatMap(({ metric, values }) => {
    const gaps = values.filter(([at], n) => n > 0 && at - (values[n - 1]?.[0] ?? at) > 1);
    const isOver = (values.at(-1)?.[0] ?? 0) < untilMs / 1000 - 3;
    return gaps.length > 0 || isOver ? [JSON.stringify(metric)] : [];
  });

test('Sums, increases, recordings and alerts do not notice that servers move: a real Prometheus and three replicas', async () => {
  await inFolder(async folder => {
    const database = await startPostgresql();
    const postgresql = {
      url: urlOf(database.port, await database.createDatabase()),
      lease_time: `${String(leaseMs)}ms`,
    };
    const stage = await setStage(folder, 7, { names, state: { postgresql } });
    const ports = [await freePort(), await freePort(), await freePort()];
    const start = (port: number): ExporterProcess =>
      startExporter(stage.configFile, ['--web.listen-address', `127.0.0.1:${String(port)}`]);
    const replicas = ports.map(start);
    const exporters = ports.map(port => `127.0.0.1:${String(port)}`);
    const prometheus = await startPrometheus(folder, { exporters, intervalSeconds: 2 });
    const fromMs = systemClock.now();
    const spread = async (): Promise<void> =>
      void (await eventually(
        'each replica reads two servers',
        async () => {
          const held = await prometheus.query('count by (instance) (vb365_lease_acquired_timestamp_seconds)');
          const polled = await prometheus.query('count(vb365_polls_total{result="complete"} > 0)');
          return held.join() === '2,2,2' && polled[0] === names.length ? true : undefined;
        },
        180_000,
      ));
    const restart = async (index: number, signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
      const child = replicas[index];
      child?.kill(signal);
      await child?.ended;
      await sleep(signal === 'SIGKILL' ? 2 * leaseMs : leaseMs);
      replicas[index] = start(ports[index] ?? 0);
    };
    const pause = async (index: number): Promise<void> => {
      replicas[index]?.kill('SIGSTOP');
      await sleep(3 * leaseMs);
      replicas[index]?.kill('SIGCONT');
    };
    const over = new AbortController();
    try {
      await spread();
      // What happens within seconds of the first meeting may be history by the program's idea of the servers' clock.
      stage.leap(10_000);
      const restoring = (async () => {
        for (; !over.signal.aborted; await sleep(2_000)) stage.openSession();
      })();
      for (const move of [
        async () => restart(0, 'SIGTERM'),
        async () => restart(1, 'SIGKILL'),
        async () => pause(2),
        async () => restart(0, 'SIGKILL'),
        async () => restart(1, 'SIGTERM'),
        async () => pause(0),
      ]) {
        await move();
        await spread();
      }
      over.abort();
      await restoring;
      stage.leap(600_000);
      stage.advance();
      const books = stage.servers.map(({ name, simulator }) => bookOf(name, simulator.world));
      const wanted = new Map(books.flatMap(({ samples }) => [...samples]));
      const found = await eventually(
        'the sums are those of the servers',
        async () => {
          const sums = await summed(prometheus);
          return differences(wanted, sums).length === 0 ? sums : undefined;
        },
        120_000,
      ).catch(async () => summed(prometheus));
      expect(differences(wanted, found)).toEqual([]);
      const restored = /^vb365_restore_(?:events|sessions)_total/;
      const counts = new Map([...wanted].filter(([key]) => restored.test(key)));
      const raw = await samplesOf(prometheus, '{__name__=~"vb365_restore_(events|sessions)_total"}');
      const grown = increased(raw);
      expect([...grown].filter(([key, by]) => by > (counts.get(key) ?? 0))).toEqual([]);
      // What a page shows that comes too late for Prometheus is in no later increase when the server moves just then.
      expect(total(grown)).toBeGreaterThanOrEqual(total(counts) * 0.98);
      for (const expr of [
        // Until the next scrape of the replica that had the server, Prometheus has the series of both.
        'sum by (server) (max without (instance, lease) (vb365_restore_events_total))',
        'sum by (server) (max without (instance, lease) (vb365_restore_sessions_total))',
        'sum by (server) (organization:vb365_restore_items:sum)',
        'sum by (server) (organization:vb365_restore_items_failed:max)',
      ])
        expect({ expr, fallen: fallenIn(await graphOf(prometheus, expr, fromMs)) }).toEqual({ expr, fallen: [] });
      const untilMs = systemClock.now();
      const alerts = await graphOf(prometheus, 'ALERTS{alertstate="firing"}', fromMs);
      expect(endedIn(alerts, untilMs)).toEqual([]);
      const fired = [...new Set(alerts.map(({ metric }) => metric['alertname'] ?? ''))];
      expect(fired).toContain('VB365RestoreEventFailed');
      expect(fired.filter(name => !/^VB365(Restore|Misuse|Event|Unknown|StateErrors)/.test(name))).toEqual([]);
    } finally {
      over.abort();
      for (const child of replicas) {
        child.kill('SIGKILL');
        await child.ended;
      }
      await prometheus.stop();
      await stage.close();
      await database.remove();
    }
  });
}, 900_000);
