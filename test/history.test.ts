import { describe, expect, test } from '@jest/globals';
import type { Config } from '../src/config/parse.js';
import type { History } from '../src/config/duration.js';
import { systemClock } from '../src/kernel/clock.js';
import { milliseconds } from '../src/model/time.js';
import { simulate } from '../src/simulator/simulate.js';
import { program, type Program } from './support/program.js';
import { configOf, serverConfig } from './support/program-config.js';
import { until } from './support/until.js';
import {
  addEvents,
  nowNanos,
  oldSession,
  onStage,
  openSession,
  polled,
  restored,
  restoredOf,
  running,
  type Stage,
} from './support/stage.js';

const versions = ['v3', 'v6', 'v8'] as const;
const hourMs = 3_600_000;

/** Every sink has nothing left to take, and delivered after the last poll of discovery. */
async function caughtUp(
  app: Program,
  { receiver }: Pick<Stage, 'receiver'>,
  events: number,
  records: number,
): Promise<void> {
  await until(async () => (await app.value(restored)) === events && receiver.records().length >= records);
  const fromSeconds = systemClock.now() / 1000;
  const looked = async (sink: string): Promise<boolean> =>
    ((await app.value(`vb365_cursor_timestamp_seconds{server="hq",sink="${sink}"}`)) ?? 0) > fromSeconds + 0.2;
  await until(async () => (await looked('metrics')) && looked('logs'));
  expect(await app.value(restored)).toBe(events);
  expect(receiver.records()).toHaveLength(records);
}

/** Exchange restores that have been counted; 0 while the series is not there. */
const counted = async (app: Program, server = 'hq'): Promise<number> => (await app.value(restoredOf(server))) ?? 0;

describe('History is not news: a first start', () => {
  test.each(versions)(
    'over %s counts nothing old, and everything new, also in a session that was open before',
    async apiVersion => {
      await onStage({}, async stage => {
        const { folder, simulator, receiver } = stage;
        oldSession(simulator.world, 2, 5);
        const open = simulator.world.addSession({ createdAt: nowNanos() - milliseconds(hourMs) }).id;
        addEvents(simulator.world, open, 7, nowNanos() - milliseconds(hourMs / 2));
        const config = configOf(folder, serverConfig(simulator.url, { apiVersion }), receiver.url);
        await running(await program(config), async app => {
          await until(async () => polled(app));
          addEvents(simulator.world, open, 2);
          await caughtUp(app, stage, 2, 2);
        });
      });
    },
  );

  test('counts events without a usable time by the time of their session', async () => {
    await onStage({}, async stage => {
      const { folder, simulator, receiver } = stage;
      const { world } = simulator;
      const old = world.addSession({ createdAt: nowNanos() - milliseconds(2 * hourMs) }).id;
      addEvents(world, old, 3, 0n);
      world.stopSession(old, { endedAt: nowNanos() - milliseconds(hourMs) });
      addEvents(world, openSession(world), 2, 0n);
      const config = configOf(folder, serverConfig(simulator.url), receiver.url);
      await running(await program(config), async app => {
        await until(async () => polled(app));
        await caughtUp(app, stage, 2, 2);
      });
    });
  });

  test.each<[string, History, number]>([
    ['now', { kind: 'now' }, 0],
    ['a duration', { kind: 'ago', ms: 5 * hourMs }, 3],
    ['a date', { kind: 'since', at: nowNanos() - milliseconds(15 * hourMs) }, 3 + 4],
    ['all', { kind: 'all' }, 3 + 4 + 5],
  ])('with history: %s sends the records of that time, and counts none of them', async (_, history, records) => {
    await onStage({}, async stage => {
      const { folder, simulator, receiver } = stage;
      oldSession(simulator.world, 1, 2);
      oldSession(simulator.world, 10, 3);
      oldSession(simulator.world, 100, 4);
      const config: Config = { ...configOf(folder, serverConfig(simulator.url), receiver.url), history };
      await running(await program(config), async app => {
        await until(async () => polled(app));
        addEvents(simulator.world, openSession(simulator.world), 1);
        await caughtUp(app, stage, 1, records + 1);
      });
    });
  });
});

test('History is not news: a server that is added later counts nothing old, and the first goes on', async () => {
  await onStage({}, async ({ folder, simulator, receiver }) => {
    const other = await simulate({ clock: systemClock, seed: 2 });
    oldSession(other.world, 2, 5);
    const config = configOf(folder, serverConfig(simulator.url), receiver.url);
    await running(await program(config), async app => {
      await until(async () => polled(app));
      addEvents(simulator.world, openSession(simulator.world), 3);
      await until(async () => (await counted(app)) === 3);
    });
    const both = { ...config, servers: [...config.servers, serverConfig(other.url, { name: 'branch' })] };
    await running(await program(both), async app => {
      await until(async () => polled(app, 'branch'));
      addEvents(other.world, openSession(other.world), 2);
      await until(async () => (await counted(app, 'branch')) === 2);
      await until(async () => polled(app, 'branch', 6));
      expect([await counted(app, 'branch'), await counted(app)]).toEqual([2, 3]);
    });
    await other.close();
  });
});

test.each<[string, History, number]>([
  ['now', { kind: 'now' }, 0],
  ['all', { kind: 'all' }, 2 + 1 + 4],
])(
  'History is not news: a sink that is added later, with history: %s, changes no counter',
  async (_, history, records) => {
    await onStage({}, async stage => {
      const { folder, simulator, receiver } = stage;
      oldSession(simulator.world, 2, 2);
      const server = serverConfig(simulator.url);
      await running(await program({ ...configOf(folder, server), history }), async app => {
        await until(async () => polled(app));
        addEvents(simulator.world, openSession(simulator.world), 4, nowNanos());
        await until(async () => (await counted(app)) === 4);
      });
      await running(await program({ ...configOf(folder, server, receiver.url), history }), async app => {
        await until(async () => polled(app));
        addEvents(simulator.world, openSession(simulator.world), 1);
        await caughtUp(app, stage, 5, records + 1);
      });
    });
  },
);

test.each(versions)(
  'History is not news: but over %s, what happened while the exporter was down is',
  async apiVersion => {
    await onStage({}, async stage => {
      const { folder, simulator, receiver } = stage;
      const config = configOf(folder, serverConfig(simulator.url, { apiVersion }), receiver.url);
      oldSession(simulator.world, 1, 9);
      let open = '';
      await running(await program(config), async app => {
        await until(async () => polled(app));
        open = openSession(simulator.world);
        addEvents(simulator.world, open, 3);
        await caughtUp(app, stage, 3, 3);
      });
      addEvents(simulator.world, open, 2);
      simulator.world.stopSession(open, { endedAt: nowNanos() });
      const whole = openSession(simulator.world);
      addEvents(simulator.world, whole, 4);
      simulator.world.stopSession(whole, { endedAt: nowNanos() });
      await running(await program(config), async app => caughtUp(app, stage, 9, 9 + 2));
    });
  },
);

test('History is not news: but what happened while the server could not be reached is', async () => {
  await onStage({}, async stage => {
    const { folder, simulator, receiver } = stage;
    await running(await program(configOf(folder, serverConfig(simulator.url), receiver.url)), async app => {
      await until(async () => polled(app));
      simulator.intercept((_, { response }) => void response.destroy());
      await until(async () => ((await app.value('vb365_polls_total{server="hq",result="failed"}')) ?? 0) >= 2);
      addEvents(simulator.world, openSession(simulator.world), 6);
      simulator.intercept(undefined);
      await caughtUp(app, stage, 6, 6);
    });
  });
});
