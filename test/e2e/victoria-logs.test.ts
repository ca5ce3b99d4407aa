import { describe, expect, test } from '@jest/globals';
import type { LogsConfig, OtlpTarget } from '../../src/config/otlp.js';
import { type Clock, systemClock } from '../../src/kernel/clock.js';
import { formatInstant, milliseconds, parseInstant, type Nanos } from '../../src/model/time.js';
import { organizations } from '../../src/simulator/cast.js';
import { simulate } from '../../src/simulator/simulate.js';
import { World } from '../../src/simulator/world.js';
import { keepAll, target } from '../support/otlp-target.js';
import { officeHours } from '../support/office-hours.js';
import { inFolder } from '../support/folder.js';
import { program, type Program } from '../support/program.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { expectedOf, takenFromMessage, withoutOwner } from './support/book.js';
import { eventually, freePort } from './support/running.js';
import { startVictoriaLogs, type StoredRecord, type VictoriaLogs } from './support/victoria-logs.js';

const dayMs = 86_400_000;
const hour: Nanos = 3_600_000_000_000n;
const everything = '"service.name":="vb365-exporter"';

/** A working day in the life of a server; it ended long ago, so that it is the same whenever the test runs. */
function dayOf(world: World, sessionsPerHour = 10): void {
  const untilMs = Date.parse('2026-03-14T02:00:00Z');
  officeHours({ seed: 1, organizations, fromMs: untilMs - dayMs, untilMs, sessionsPerHour }).advance(world, untilMs);
}

type Stage = Readonly<{ folder: string; app: Program; store: VictoriaLogs; world: World }>;
type Scene = Readonly<{
  prepare: (world: World) => void;
  flags?: readonly string[];
  wire?: Partial<OtlpTarget>;
  limits?: Partial<Pick<LogsConfig, 'maxAgeMs' | 'maxAheadMs'>>;
  /** How far the server's clock is ahead. */
  aheadMs?: number;
  /** Starts the store once more in mid-stream. */
  restart?: boolean;
}>;

const clockAhead = (ms: number): Clock => ({ ...systemClock, now: () => systemClock.now() + ms });

async function onStage(scene: Scene, play: (stage: Stage) => Promise<void>): Promise<void> {
  const { prepare, flags = [], wire, limits, aheadMs = 0, restart = false } = scene;
  await inFolder(async folder => {
    const world = new World(1);
    prepare(world);
    const simulator = await simulate({ clock: clockAhead(aheadMs), world });
    const port = await freePort();
    let store = await startVictoriaLogs(folder, { port, flags });
    const config = configOf(folder, serverConfig(simulator.url, { apiVersion: 'v8', pageSize: 20 }));
    const to = target(store.url, { protocol: 'http/protobuf', compression: 'gzip', ...wire });
    const logs = {
      ...to,
      personalData: keepAll,
      maxAgeMs: undefined,
      maxBehindMs: undefined,
      maxAheadMs: undefined,
      ...limits,
    };
    const app = await program({ ...config, history: { kind: 'all' }, logs });
    try {
      if (restart) {
        await eventually('the stream flows', async () => ((await delivered(app)) > 0 ? true : undefined));
        await store.stop();
        fillWith(world, { startedAt: milliseconds(systemClock.now()) - 90_000_000_000n });
        await eventually(
          'a delivery fails',
          () => app.said.some(line => line.includes('Delivery failed')) || undefined,
        );
        store = await startVictoriaLogs(folder, { port, flags });
      }
      await play({ folder, app, store, world });
    } finally {
      await app.stop(5_000);
      await store.stop();
      await simulator.close();
    }
  });
}

const delivered = async (app: Program): Promise<number> => {
  const counts = ['delivered', 'retried'].map(async outcome =>
    app.value(`vb365_sink_delivered_total{server="hq",sink="logs",outcome="${outcome}"}`),
  );
  return (await Promise.all(counts)).reduce<number>((sum, count) => sum + (count ?? 0), 0);
};

const rejected = async (app: Program, reason: string): Promise<number> =>
  (await app.value(`vb365_events_rejected_total{server="hq",sink="logs",reason="${reason}"}`)) ?? 0;

/** Until everything in the book was sent, or refused. */
const settled = async ({ app, world }: Stage, refused = 0): Promise<void> => {
  await eventually(
    'everything is delivered',
    async () => ((await delivered(app)) === expectedOf(world).size - refused ? true : undefined),
    120_000,
  );
};

/** What the store has, once it shows as many records as wanted. */
const stored = async ({ store }: Stage, count: number): Promise<readonly StoredRecord[]> =>
  eventually('the store shows the records', async () => {
    const found = await store.records(everything);
    return found.length >= count ? found : undefined;
  });

const uidOf = (record: StoredRecord): string => record['log.record.uid'] ?? '';
const uids = (records: readonly StoredRecord[]): readonly string[] => records.map(uidOf).toSorted();

const names = (of: object): readonly string[] => Object.keys(of).filter(name => !takenFromMessage.includes(name));

/** Holds a record against the book, attribute by attribute. */
function compare(record: StoredRecord, expected: ReturnType<typeof expectedOf>): void {
  const wanted = expected.get(uidOf(record));
  const attributes = Object.entries(record).filter(([name]) => /^(?:veeam|error)\./.test(name));
  const { 'veeam.event.kind': kind, ...rest } = Object.fromEntries(attributes);
  expect(names(withoutOwner(rest)).toSorted()).toEqual(names(wanted?.attributes ?? {}).toSorted());
  // VictoriaLogs keeps a double as text that may differ in the 17th digit.
  for (const [name, value] of Object.entries(wanted?.attributes ?? {}))
    if (typeof value === 'number') expect(Number(rest[name])).toBeCloseTo(value, 9);
    else if (takenFromMessage.includes(name)) expect(value).toContain(rest[name]);
    else expect(rest[name]).toBe(value);
  expect(String(parseInstant(record['_time'] ?? '')?.at)).toBe(wanted?.time);
  expect(record).toMatchObject({
    trace_id: wanted?.traceId,
    span_id: wanted?.spanId,
    event_name: kind,
    'scope.name': 'vb365-exporter',
    'service.instance.id': 'hq',
  });
}

/** Events next to one that is different. */
function fillWith(world: World, one: Parameters<World['appendEvent']>[1]): string {
  const now = milliseconds(systemClock.now());
  const { id } = world.addSession({ createdAt: now - 480n * hour });
  const different = world.appendEvent(id, { type: 'Restore', ...one });
  for (let order = 0; order < 10; order += 1)
    world.appendEvent(id, { startedAt: now - 60_000_000_000n, type: 'Restore', itemName: 'a' });
  world.stopSession(id, { endedAt: now - 30_000_000_000n });
  return different.id;
}

const now = (): Nanos => milliseconds(systemClock.now());

const fillRecently = (world: World): void => void fillWith(world, { startedAt: now() - 90_000_000_000n });

describe('a real VictoriaLogs', () => {
  test('Nothing lost: has every record of a day once, attribute by attribute', async () => {
    await onStage({ prepare: dayOf, flags: ['-retentionPeriod=10y'] }, async stage => {
      await settled(stage);
      const expected = expectedOf(stage.world);
      expect(expected.size).toBeGreaterThan(300);
      const records = await stored(stage, expected.size);
      expect(uids(records)).toEqual([...expected.keys()].toSorted());
      for (const record of records) compare(record, expected);
    });
  }, 240_000);

  test('Nothing lost: restarted in mid-stream, it has every record; one that came twice is the same', async () => {
    await onStage({ prepare: dayOf, flags: ['-retentionPeriod=10y'], restart: true }, async stage => {
      await settled(stage);
      const expected = expectedOf(stage.world);
      const records = await stored(stage, expected.size);
      expect([...new Set(uids(records))]).toEqual([...expected.keys()].toSorted());
      for (const record of records) compare(record, expected);
    });
  }, 240_000);

  const limited = ['-retentionPeriod=7d'];
  const aheadMs = 4 * dayMs;

  test.each([
    ['older than its retention', -216n, 'too_small_timestamp'],
    ['further ahead than it takes', 96n, 'too_big_timestamp'],
  ])(
    'Known gap: a record %s is acknowledged and dropped; only its own metric counts it',
    async (_, hours, reason) => {
      let dropped = '';
      const prepare = (world: World): void => {
        dropped = fillWith(world, { startedAt: now() + hours * hour });
      };
      await onStage({ prepare, flags: limited, aheadMs }, async stage => {
        await settled(stage);
        const expected = [...expectedOf(stage.world).keys()].filter(id => id !== dropped);
        expect(uids(await stored(stage, expected.length))).toEqual(expected.toSorted());
        expect(await stage.store.metric(`vl_rows_dropped_total{reason="${reason}"}`)).toBe(1);
        expect(await rejected(stage.app, 'refused')).toBe(0);
      });
    },
    120_000,
  );

  test.each([
    ['older than its retention', -216n, { maxAgeMs: 6.9 * dayMs }],
    ['further ahead than it takes', 96n, { maxAheadMs: 60_000 }],
  ])(
    'Nothing lost: with the limit configured, it has a record %s with the time of sending',
    async (_, hours, limits) => {
      const at = now() + hours * hour;
      const prepare = (world: World): void => void fillWith(world, { startedAt: at });
      await onStage({ prepare, flags: limited, limits, aheadMs }, async stage => {
        await settled(stage);
        const records = await stored(stage, expectedOf(stage.world).size);
        expect(uids(records)).toEqual([...expectedOf(stage.world).keys()].toSorted());
        expect(records.filter(one => one['veeam.event.time'] === formatInstant(at))).toHaveLength(1);
      });
    },
    120_000,
  );

  test('Known gap: a record acknowledged a moment before a crash of the store is gone', async () => {
    await onStage({ prepare: fillRecently }, async stage => {
      await settled(stage);
      await stage.store.crash();
      const again = await startVictoriaLogs(stage.folder);
      try {
        expect((await again.records(everything)).length).toBeLessThan(expectedOf(stage.world).size);
        expect(await rejected(stage.app, 'refused')).toBe(0);
      } finally {
        await again.stop();
      }
    });
  }, 120_000);

  test('Says so: of a batch with one record that is too large for it only that one is lost', async () => {
    let large = '';
    const prepare = (world: World): void => {
      large = fillWith(world, { startedAt: now() - 90_000_000_000n, itemName: 'x'.repeat(4_000) });
    };
    await onStage({ prepare, flags: ['-opentelemetry.maxRequestSize=6000'] }, async stage => {
      await eventually('it is refused', async () =>
        (await rejected(stage.app, 'refused')) + (await rejected(stage.app, 'too_large')) === 1 ? true : undefined,
      );
      await settled(stage, 1);
      const expected = [...expectedOf(stage.world).keys()].filter(id => id !== large).toSorted();
      expect([...new Set(uids(await stored(stage, expected.length)))]).toEqual(expected);
    });
  }, 120_000);

  test('Says so: it refuses JSON; nothing is given up, and the log says so', async () => {
    const scene = { prepare: (world: World) => dayOf(world, 1), wire: { protocol: 'http/json' } } as const;
    await onStage(scene, async ({ app, store }) => {
      await eventually(
        'it is said',
        () => app.said.some(line => line.includes('Delivery failed') && line.includes('reason=rejected')) || undefined,
      );
      expect([await delivered(app), await rejected(app, 'refused')]).toEqual([0, 0]);
      expect(await store.records(everything)).toEqual([]);
    });
  }, 120_000);
});
