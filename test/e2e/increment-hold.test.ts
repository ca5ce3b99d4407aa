import { afterEach, describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import { simulate, type Simulator } from '../../src/simulator/simulate.js';
import { program, type Program } from '../support/program.js';
import { inFolder } from '../support/folder.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { fromAddress } from './support/from-address.js';
import { startPrometheus, type Prometheus } from './support/prometheus.js';
import { eventually, freePort } from './support/running.js';

const failed = 'vb365_restore_events_total{event_type="Restore",status="Failed"}';
const now = (): bigint => BigInt(systemClock.now()) * 1_000_000n;

type Stage = Readonly<{
  simulator: Simulator;
  start: () => Promise<Program>;
  scrapedBy: (seconds?: number, address?: string) => Promise<Prometheus>;
}>;

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).toReversed()) await stop();
});

/** A simulated server, and the means to start the exporter again and again at one port. */
async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock });
    stops.push(async () => simulator.close());
    const config = configOf(folder, serverConfig(simulator.url));
    const port = await freePort();
    const start = async (): Promise<Program> => {
      const app = await program(config, port);
      stops.push(async () => app.stop(1_000));
      return app;
    };
    const scrapedBy = async (intervalSeconds = 1, address = '127.0.0.1'): Promise<Prometheus> => {
      const way = await fromAddress(address, port);
      stops.push(async () => way.close());
      const prometheus = await startPrometheus({ target: `127.0.0.1:${String(way.port)}`, intervalSeconds });
      stops.push(async () => prometheus.stop());
      return prometheus;
    };
    try {
      await play({ simulator, start, scrapedBy });
    } finally {
      for (const stop of stops.splice(0).toReversed()) await stop();
    }
  });
}

const fail = ({ world }: Simulator): void =>
  void world.appendEvent(world.addSession({ createdAt: now() }).id, {
    startedAt: now(),
    type: 'Restore',
    message: 'x',
    status: 'Failed',
  });

/** What `increase()` says, as soon as it is more than `more`. */
const increased = async (prometheus: Prometheus, more = 0): Promise<number> =>
  eventually(
    `increase() of more than ${String(more)}`,
    async () => {
      const value = await prometheus.query(`sum(increase(${failed}[5m]))`);
      return value !== undefined && value > more ? value : undefined;
    },
    90_000,
  );

/** All that was added to the series since it was first seen, without the extrapolation of `increase()`. */
const added = async (prometheus: Prometheus): Promise<number | undefined> =>
  prometheus.query(`sum(max_over_time(${failed}[10m]) - min_over_time(${failed}[10m]))`);
const shows = async (prometheus: Prometheus, value: number): Promise<void> => {
  await eventually(`${failed} at ${String(value)}`, async () =>
    (await prometheus.query(`sum(${failed})`)) === value ? true : undefined,
  );
};

describe('The first failure alerts, and nothing is counted twice: a real Prometheus', () => {
  test('at an interval of 5 s sees an increase of at least 1 for the first event ever of a kind', async () => {
    await onStage(async ({ simulator, start, scrapedBy }) => {
      await start();
      const prometheus = await scrapedBy(5);
      fail(simulator);
      expect(await increased(prometheus)).toBeGreaterThanOrEqual(1);
      expect(await added(prometheus)).toBe(1);
    });
  });

  test('sees what happened before its first scrape of a new installation', async () => {
    await onStage(async ({ simulator, start, scrapedBy }) => {
      const app = await start();
      await eventually('the first poll', async () => ((await app.get('/-/ready')).status === 200 ? true : undefined));
      fail(simulator);
      const prometheus = await scrapedBy();
      expect(await increased(prometheus)).toBeGreaterThanOrEqual(1);
      expect(await added(prometheus)).toBe(1);
    });
  });

  test('sees each event once across restarts with events caught up, as does a second one with another phase', async () => {
    await onStage(async ({ simulator, start, scrapedBy }) => {
      const first = await start();
      const both = [await scrapedBy(1, '127.0.0.2'), await scrapedBy(2, '127.0.0.3')] as const;
      fail(simulator);
      for (const prometheus of both) await shows(prometheus, 1);
      await first.stop(1_000);
      fail(simulator);
      fail(simulator);
      const second = await start();
      for (const prometheus of both) await shows(prometheus, 3);
      await second.stop(1_000);
      await start();
      fail(simulator);
      for (const prometheus of both) {
        await shows(prometheus, 4);
        expect(await added(prometheus)).toBe(4);
        expect(await prometheus.query(`sum(resets(${failed}[10m]))`)).toBe(0);
      }
    });
  });

  test('keeps the exemplar that leads to the trace of the restore', async () => {
    await onStage(async ({ simulator, start, scrapedBy }) => {
      await start();
      const prometheus = await scrapedBy();
      fail(simulator);
      await shows(prometheus, 1);
      const [session] = simulator.world.sessions();
      const traceId = session?.id.replaceAll('-', '');
      const found = await eventually('an exemplar', async () => {
        const text = JSON.stringify(
          await prometheus.data(
            `query_exemplars?query=${encodeURIComponent(failed)}&start=0&end=${String(systemClock.now() / 1000 + 60)}`,
          ),
        );
        return text.includes('trace_id') ? text : undefined;
      });
      expect(found).toContain(`"trace_id":"${String(traceId)}"`);
    });
  });
});
