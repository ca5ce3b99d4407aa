import { describe, expect, test } from '@jest/globals';
import type { LogsConfig } from '../../src/config/otlp.js';
import { systemClock } from '../../src/kernel/clock.js';
import { formatInstant, milliseconds, type Nanos } from '../../src/model/time.js';
import { simulate } from '../../src/simulator/simulate.js';
import type { World } from '../../src/simulator/world.js';
import { keepAll, target } from '../support/otlp-target.js';
import { program, type Program } from '../support/program.js';
import { inFolder } from '../support/folder.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { type Line, type Loki, startLoki } from './support/loki.js';
import { eventually } from './support/running.js';

const day: Nanos = 86_400_000_000_000n;
const statuses = ['Success', 'Warning', 'Failed'];
const selector = '{service_name="vb365-exporter", service_instance_id="hq"}';

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
type Stage = Readonly<{ app: Program; loki: Loki; world: World }>;

async function onStage(
  prepare: (world: World) => void,
  limits: Limits,
  play: (stage: Stage) => Promise<void>,
): Promise<void> {
  await inFolder(async folder => {
    const simulator = await simulate({ clock: systemClock });
    prepare(simulator.world);
    const loki = await startLoki(folder);
    const logs = { ...target(loki.url, { protocol: 'http/protobuf', compression: 'gzip' }), personalData: keepAll };
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
      await loki.stop();
      await simulator.close();
    }
  });
}

/** Until everything in the book has left, or was refused. */
const delivered = async ({ app, world }: Stage): Promise<void> => {
  await eventually('everything is delivered', async () => {
    const counts = ['delivered', 'retried', 'rejected'].map(async outcome =>
      app.value(`vb365_sink_delivered_total{server="hq",sink="logs",outcome="${outcome}"}`),
    );
    const sum = (await Promise.all(counts)).reduce<number>((all, count) => all + (count ?? 0), 0);
    return sum === booked(world).length ? true : undefined;
  });
};
const uids = (lines: readonly Line[]): readonly string[] =>
  lines.map(({ labels }) => labels['log_record_uid'] ?? '').sort();
/** Ids of all records that the book calls for. */
const booked = (world: World): readonly string[] =>
  [...[...world.book()].map(({ event }) => event.id), ...world.sessions().map(({ id }) => id)].sort();

function fillLately(world: World): void {
  fill(world, 700, 600_000_000_000n);
  fill(world, 80, 300_000_000_000n);
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

describe('a real Loki', () => {
  test('Nothing lost: has every record once, with the level that Grafana colours', async () => {
    await onStage(fillLately, { maxAgeMs: undefined, maxBehindMs: undefined }, async stage => {
      const { loki, world } = stage;
      await delivered(stage);
      const lines = await loki.lines(selector);
      expect(uids(lines)).toEqual(booked(world));
      const levels = new Map(
        [...world.book()].map(({ event }) => [event.id, { Failed: 'error', Warning: 'warn' }[event.status] ?? 'info']),
      );
      for (const { labels } of lines) {
        const level = levels.get(labels['log_record_uid'] ?? '');
        if (level !== undefined) expect(labels['detected_level']).toBe(level);
      }
      expect(lines[0]?.labels['trace_id']).toMatch(/^[0-9a-f]{32}$/);
    });
  }, 240_000);

  test('takes what would be too old, with the time of sending, when its limits are configured', async () => {
    await onStage(fillLongAgo, { maxAgeMs: 6.9 * 86_400_000, maxBehindMs: 3_000_000 }, async stage => {
      const { loki, world } = stage;
      await delivered(stage);
      const lines = await loki.lines(selector);
      expect(uids(lines)).toEqual(booked(world));
      const times = new Map([...world.book()].map(({ event }) => [event.id, event.endedAt ?? event.startedAt]));
      const old = milliseconds(systemClock.now()) - 3_600_000_000_000n;
      for (const { labels } of lines) {
        const at = times.get(labels['log_record_uid'] ?? '');
        if (at === undefined) continue;
        expect(labels['veeam_event_time']).toBe(at < old ? formatInstant(at) : undefined);
      }
    });
  }, 240_000);

  test('Says so: of a batch with one record that is too old only that one is lost, and a metric counts it', async () => {
    let old = '';
    const prepare = (world: World): void => {
      old = fillWithOneTooOld(world);
    };
    await onStage(prepare, { maxAgeMs: undefined, maxBehindMs: undefined }, async stage => {
      const { app, loki, world } = stage;
      await delivered(stage);
      expect(uids(await loki.lines(selector))).toEqual(booked(world).filter(id => id !== old));
      expect(await app.value('vb365_events_rejected_total{server="hq",sink="logs",reason="refused"}')).toBe(1);
      expect(await app.value('vb365_sink_delivered_total{server="hq",sink="logs",outcome="rejected"}')).toBe(1);
    });
  }, 240_000);
});
