import { describe, expect, test } from '@jest/globals';
import type { LogsConfig } from '../../src/config/otlp.js';
import { systemClock } from '../../src/kernel/clock.js';
import { formatInstant, milliseconds, type Nanos } from '../../src/model/time.js';
import { simulate } from '../../src/simulator/simulate.js';
import type { World } from '../../src/simulator/world.js';
import { inFolder } from '../support/folder.js';
import { type Line, lokiReceiver, type LokiLimits, type LokiReceiver } from '../support/loki-receiver.js';
import { keepAll, target } from '../support/otlp-target.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { program, type Program } from '../support/program.js';
import { until } from '../support/until.js';

const day: Nanos = 86_400_000_000_000n;
const statuses = ['Success', 'Warning', 'Failed'];

/** Events that ended so long ago, one a second, in a session that was opened just before the first. */
function fill(world: World, count: number, ago: Nanos): string {
  const begun = milliseconds(systemClock.now()) - ago;
  const { id } = world.addSession({ createdAt: begun - 1_000_000_000n });
  for (let order = 0; order < count; order += 1) {
    const startedAt = begun + BigInt(order) * 1_000_000n;
    // The same words again and again, many at one time: Loki drops lines that it takes for the same.
    const status = statuses[order % statuses.length] ?? 'Success';
    world.appendEvent(id, {
      startedAt: startedAt - BigInt(order % 2) * 1_000_000n,
      type: 'Restore',
      status,
      itemName: 'a',
    });
  }
  world.stopSession(id, { endedAt: begun + 2_000_000_000n });
  return id;
}

type Limits = Pick<LogsConfig, 'maxAgeMs' | 'maxBehindMs'>;
type Stage = Readonly<{ app: Program; loki: LokiReceiver; world: World }>;
const noLimits: Limits = { maxAgeMs: undefined, maxBehindMs: undefined };

type Scene = Readonly<{ prepare: (world: World) => void; limits?: Limits; ofLoki?: Partial<LokiLimits> }>;

async function onStage(
  { prepare, limits = noLimits, ofLoki }: Scene,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  await inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock });
    prepare(simulator.world);
    const loki = await lokiReceiver(ofLoki);
    const logs = { ...target(loki.url, { compression: 'gzip' }), personalData: keepAll };
    const config = configOf(folder, serverConfig(simulator.url, { apiVersion: 'v8' }));
    const app = await program({
      ...config,
      history: { kind: 'all' },
      logs: { ...logs, maxAheadMs: undefined, ...limits },
    });
    try {
      await play({ app, loki, world: simulator.world });
    } finally {
      await app.stop(5_000);
      await loki.close();
      await simulator.close();
    }
  });
}

/** Until everything in the book has left, or was refused. */
const delivered = async ({ app, world }: Stage): Promise<void> => {
  await until(async () => {
    const counts = ['delivered', 'retried', 'rejected'].map(async outcome =>
      app.value(`vb365_sink_delivered_total{server="hq",sink="logs",outcome="${outcome}"}`),
    );
    const sum = (await Promise.all(counts)).reduce<number>((all, count) => all + (count ?? 0), 0);
    return sum === booked(world).length;
  });
};
const uids = (lines: readonly Line[]): readonly string[] =>
  lines.map(({ labels }) => labels['log_record_uid'] ?? '').sort();
/** Ids of all records that the book calls for. */
const booked = (world: World): readonly string[] =>
  [...[...world.book()].map(({ event }) => event.id), ...world.sessions().map(({ id }) => id)].sort();

function fillLately(world: World): void {
  fill(world, 70, 600_000_000_000n);
  fill(world, 20, 300_000_000_000n);
}

/** Some of it older than Loki takes, some further behind than it takes. */
function fillLongAgo(world: World): void {
  for (const ago of [9n * day, day, 60_000_000_000n]) fill(world, 20, ago);
}

/** A session of many hours: one event is older than Loki takes, the others are of a moment ago. */
function fillWithOneTooOld(world: World): string {
  const now = milliseconds(systemClock.now());
  const { id } = world.addSession({ createdAt: now - 9n * day });
  const old = world.appendEvent(id, { startedAt: now - 9n * day, type: 'Restore', itemName: 'old' });
  for (let order = 0; order < 30; order += 1)
    world.appendEvent(id, { startedAt: now - 600_000_000_000n, type: 'Restore', itemName: 'a' });
  world.stopSession(id, { endedAt: now - 300_000_000_000n });
  return old.id;
}

/** A session with one event that ends in an hour by the clock of the server, next to others. */
function fillWithOneAhead(world: World): string {
  const now = milliseconds(systemClock.now());
  const { id } = world.addSession({ createdAt: now - 60_000_000_000n });
  for (let order = 0; order < 5; order += 1)
    world.appendEvent(id, { startedAt: now - 30_000_000_000n, type: 'Restore', itemName: 'a' });
  return world.appendEvent(id, { startedAt: now + day / 24n, type: 'Restore', itemName: 'ahead' }).id;
}

/** A session with one event that has a long name, next to others. */
function fillWithOneLong(world: World): string {
  const now = milliseconds(systemClock.now());
  const { id } = world.addSession({ createdAt: now - 60_000_000_000n });
  for (let order = 0; order < 5; order += 1)
    world.appendEvent(id, { startedAt: now - 30_000_000_000n, type: 'Restore', itemName: 'a' });
  return world.appendEvent(id, { startedAt: now - 20_000_000_000n, type: 'Restore', itemName: 'x'.repeat(4_000) }).id;
}

describe('a receiver that answers as Loki does', () => {
  test('Nothing lost: has every record once, with the level that Grafana colours', async () => {
    await onStage({ prepare: fillLately }, async stage => {
      const { loki, world } = stage;
      await delivered(stage);
      const lines = loki.lines();
      expect(uids(lines)).toEqual(booked(world));
      expect(loki.refused()).toEqual({});
      const levels = new Map(
        [...world.book()].map(({ event }) => [event.id, { Failed: 'error', Warning: 'warn' }[event.status] ?? 'info']),
      );
      for (const { labels } of lines) {
        const level = levels.get(labels['log_record_uid'] ?? '');
        if (level !== undefined) expect(labels['detected_level']).toBe(level);
        expect(labels).toMatchObject({ service_name: 'vb365-exporter', service_instance_id: 'hq' });
      }
      expect(lines[0]?.labels['trace_id']).toMatch(/^[0-9a-f]{32}$/);
    });
  });

  test('takes what would be too old, with the time of sending, when its limits are configured', async () => {
    const limits = { maxAgeMs: 6.9 * 86_400_000, maxBehindMs: 3_000_000 };
    await onStage({ prepare: fillLongAgo, limits }, async stage => {
      const { loki, world } = stage;
      await delivered(stage);
      const lines = loki.lines();
      expect(uids(lines)).toEqual(booked(world));
      const times = new Map([...world.book()].map(({ event }) => [event.id, event.endedAt ?? event.startedAt]));
      const old = milliseconds(systemClock.now()) - 3_600_000_000_000n;
      for (const { labels } of lines) {
        const at = times.get(labels['log_record_uid'] ?? '');
        if (at === undefined) continue;
        expect(labels['veeam_event_time']).toBe(at < old ? formatInstant(at) : undefined);
      }
    });
  });

  test.each([
    ['is too old', fillWithOneTooOld, 'greater_than_max_sample_age', {}],
    ['is ahead of its clock', fillWithOneAhead, 'too_far_in_future', {}],
    ['has a line that is too long', fillWithOneLong, 'line_too_long', { maxLineBytes: 2_000 }],
    ['has too much metadata', fillWithOneLong, 'structured_metadata_too_large', { maxMetadataBytes: 3_000 }],
  ])(
    'Says so: of a batch with one record that %s only that one is lost, and a metric counts it',
    async (_, fillOne, reason, ofLoki) => {
      let bad = '';
      const prepare = (world: World): void => {
        bad = fillOne(world);
      };
      await onStage({ prepare, ofLoki }, async stage => {
        const { app, loki, world } = stage;
        const stopped = world.sessions().filter(({ state }) => state === 'Stopped');
        const taken = [...[...world.book()].map(({ event }) => event.id), ...stopped.map(({ id }) => id)]
          .filter(id => id !== bad)
          .sort();
        await until(async () => {
          const rejected = await app.value('vb365_events_rejected_total{server="hq",sink="logs",reason="refused"}');
          return rejected === 1 && loki.lines().length === taken.length;
        });
        expect(uids(loki.lines())).toEqual(taken);
        expect(Object.keys(loki.refused())).toEqual([reason]);
        expect(await app.value('vb365_sink_delivered_total{server="hq",sink="logs",outcome="rejected"}')).toBe(1);
      });
    },
  );

  test('a record stays far below the numbers of labels and of structured metadata that Loki takes', async () => {
    await onStage({ prepare: fillLately, ofLoki: { maxLabels: 2, maxMetadataEntries: 40 } }, async stage => {
      await delivered(stage);
      expect(stage.loki.refused()).toEqual({});
      expect(uids(stage.loki.lines())).toEqual(booked(stage.world));
    });
  });
});
