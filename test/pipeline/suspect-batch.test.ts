import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { DeliveryReport } from '../../src/pipeline/sink-worker.js';
import { ExporterError } from '../../src/kernel/errors.js';
import type { Store } from '../../src/pipeline/ports.js';
import { memoryStore, type ReadableStore } from '../support/memory-store.js';
import { readableSqliteStore } from '../support/dead-letters.js';
import { bench, put } from '../support/discovery-rig.js';
import { event, fakeServer, type FakeServer, recordingSink, session } from '../support/server-run.js';
import { logsTo } from '../support/logs.js';
import { type PickyReceiver, pickyReceiver } from '../support/picky-receiver.js';

/** Hundreds of requests, on a machine that may be busy. */
const slowMs = 60_000;

let picky: PickyReceiver;
let sink: ReturnType<typeof logsTo>;
let server: FakeServer;
beforeEach(async () => {
  picky = await pickyReceiver();
  sink = logsTo(picky.receiver.url);
  server = fakeServer();
  server.limit = 1_000;
});
afterEach(async () => {
  await sink.close();
  await picky.receiver.close();
});

/** A line whose one sink sends log records to the picky receiver. Turns answer the sink's report. */
async function line(store: Store = memoryStore()): Promise<() => Promise<DeliveryReport | undefined>> {
  const { step } = bench({
    server,
    store,
    sinks: [{ ...recordingSink('logs'), deliver: async (...of) => sink.deliver(...of) }],
  });
  await step();
  return async () => (await step())[0];
}

const hold = (id: string, from: number, to: number): void => {
  const created = BigInt(server.held.size + 1);
  if (!server.held.has(id)) server.held.set(id, session({ id, createdAt: created }));
  put(server, id, ...Array.from({ length: to - from }, (_, n) => event(from + n, { id: `${id}-${String(from + n)}` })));
};
const refuse = (id: string, from: number, to: number): void => {
  for (let n = from; n < to; n += 1) picky.guilty.add(`${id}-${String(n)}`);
};
const cursorOf = async (store: Store, id: string): Promise<string | undefined> =>
  (await store.rows('hq', [id])).find(row => row.sink === 'logs')?.cursor;
const asideOf = async (store: ReadableStore): Promise<readonly string[]> =>
  (await store.deadLetters('hq')).map(({ event: id }) => id).toSorted();

describe('Nothing lost: a record that is refused while nothing else is due', () => {
  test('waits, its cursor with it, and is set aside when a newer session is taken', async () => {
    const store = memoryStore();
    const turn = await line(store);
    hold('a', 0, 1);
    refuse('a', 0, 1);
    for (let n = 0; n < 3; n += 1) {
      expect(await turn()).toMatchObject({ taken: 0, due: 1, errors: [{ reason: 'rejected' }] });
    }
    expect(await cursorOf(store, 'a')).toBe(';;');
    hold('b', 0, 2);
    const deadLetters = [{ sink: 'logs', session: 'a', event: 'a-0', reason: 'refused', at: server.at }];
    expect(await turn()).toMatchObject({ errors: [], deadLetters });
    expect(await store.deadLetters('hq')).toEqual(deadLetters);
    expect(picky.kept).toEqual(['b-0', 'b-1']);
    expect(await cursorOf(store, 'a')).toBe('0;Success=1;');
  });

  test('does not hold up a later one of its own session', async () => {
    const store = memoryStore();
    const turn = await line(store);
    hold('a', 0, 1);
    refuse('a', 0, 1);
    await turn();
    hold('a', 1, 2);
    expect(await turn()).toMatchObject({ errors: [] });
    expect(await asideOf(store)).toEqual(['a-0']);
    expect(picky.kept).toEqual(['a-1']);
  });

  test('is set aside in the transaction that moves its cursor, also after a restart in between', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'vb365-doubt-'));
    const path = join(directory, 'state.db');
    const first = await readableSqliteStore(path);
    const turn = await line(first);
    hold('a', 0, 1);
    refuse('a', 0, 1);
    await turn();
    await first.close();
    await sink.close();

    sink = logsTo(picky.receiver.url);
    const inner = await readableSqliteStore(path);
    const commits: boolean[] = [];
    const second: ReadableStore = {
      ...inner,
      commit: async change => {
        if (change.deadLetters !== undefined && change.deadLetters.length > 0)
          commits.push(change.rows?.some(row => row.session === 'a') === true);
        return inner.commit(change);
      },
    };
    hold('b', 0, 1);
    await line(second);
    expect(await asideOf(second)).toEqual(['a-0']);
    expect(commits).toEqual([true]);
    await inner.close();
    const third = await readableSqliteStore(path);
    expect(await asideOf(third)).toEqual(['a-0']);
    expect(await third.deadLetters('other')).toEqual([]);
    await third.close();
    rmSync(directory, { recursive: true });
  });
});

describe('Nothing lost: more refused records than a batch holds', () => {
  test.each([
    ['another session', 'b'],
    ['their own session', 'a'],
  ])(
    'do not hold up %s: the turn looks beyond them, and the next decides',
    async (_, later) => {
      const store = memoryStore();
      const turn = await line(store);
      hold('a', 0, 1_100);
      refuse('a', 0, 1_100);
      if (later === 'a') hold('a', 1_100, 2_300);
      else hold('b', 0, 5);
      expect(await turn()).toMatchObject({ taken: 0, errors: [{ reason: 'rejected' }, { reason: 'rejected' }] });
      expect(await asideOf(store)).toEqual([]);
      expect(await turn()).toMatchObject({ errors: [] });
      expect(await asideOf(store)).toHaveLength(1_100);
      expect(new Set(picky.kept).size).toBe(later === 'a' ? 1_200 : 5);
    },
    slowMs,
  );
});

describe('Nothing lost: a receiver that answers 400 to everything', () => {
  test(
    'has taken nothing, is asked little, and gets all when it is well again',
    async () => {
      const store = memoryStore();
      const turn = await line(store);
      hold('a', 0, 700);
      hold('b', 0, 700);
      picky.stubborn(true);
      expect(await turn()).toMatchObject({ taken: 0, due: 2, errors: [{ reason: 'rejected' }] });
      picky.asked();
      await turn();
      expect(picky.asked()).toBeLessThanOrEqual(10);
      expect([await cursorOf(store, 'a'), await cursorOf(store, 'b')]).toEqual([';;', ';;']);
      picky.stubborn(false);
      expect(await turn()).toMatchObject({ taken: 1_400, errors: [] });
      expect(await asideOf(store)).toEqual([]);
      expect(picky.kept).toHaveLength(1_400);
    },
    slowMs,
  );
});

/** One turn over 15 batches; answers its report and how often the sink was asked. */
async function turnWith(answers: readonly ExporterError[], otherwise?: ExporterError) {
  let asked = 0;
  const inner = recordingSink('logs');
  const deliver: typeof inner.deliver = async (...of) => {
    const failure = answers[asked] ?? otherwise;
    asked += 1;
    if (failure !== undefined) throw failure;
    return inner.deliver(...of);
  };
  const store = memoryStore();
  const { step } = bench({ server, store, sinks: [{ ...inner, deliver }] });
  await step();
  for (let n = 0; n < 15; n += 1) hold(`s${String(n)}`, 0, 1_000);
  const before = asked;
  const [report] = await step();
  const cursors = await Promise.all([...server.held.keys()].map(async id => cursorOf(store, id)));
  return { report, asked: asked - before, moved: cursors.filter(cursor => cursor !== ';;').length };
}

describe('a turn that looks beyond a doubt', () => {
  const doubt = new ExporterError('rejected', 'answered 400', { details: { suspects: 1_000 } });
  const gone = new ExporterError('network', 'nobody answers');

  test('tries ten batches beyond it, and leaves it at that', async () => {
    const { report, asked, moved } = await turnWith([], doubt);
    expect([asked, moved]).toEqual([11, 0]);
    expect(report).toMatchObject({ taken: 0, due: 15, errors: [doubt, doubt], undelivered: [doubt, doubt] });
  });

  test('goes on past a session that cannot be read, which is no fault of the sink', async () => {
    const unreadable = new ExporterError('decode', 'no page');
    const events = server.events.bind(server);
    server.events = async (id, ...of) => {
      if (id === 's3') throw unreadable;
      return events(id, ...of);
    };
    const { report, asked } = await turnWith([], doubt);
    expect(asked).toBe(11);
    expect(report).toMatchObject({ undelivered: [doubt, doubt], errors: [doubt, doubt, unreadable] });
  });

  test('ends at once when something is taken, and has recorded nothing', async () => {
    const { report, asked, moved } = await turnWith([doubt, doubt]);
    expect([asked, moved]).toEqual([3, 0]);
    expect(report).toMatchObject({ taken: 0, due: 15, errors: [doubt, { reason: 'rejected' }] });
  });

  test('ends at once at a failure that is no answer about records', async () => {
    const { report, asked, moved } = await turnWith([doubt, gone]);
    expect([asked, moved]).toEqual([2, 0]);
    expect(report).toMatchObject({ taken: 0, due: 15, undelivered: [doubt, gone] });
  });

  test('is no turn with a refusal that blames no record', async () => {
    const { asked, report } = await turnWith([], new ExporterError('rejected', 'answered 404'));
    expect(asked).toBe(1);
    expect(report?.errors).toHaveLength(1);
  });
});
