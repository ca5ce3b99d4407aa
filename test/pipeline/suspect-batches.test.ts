import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from '@jest/globals';
import type { DeliveryReport } from '../../src/pipeline/delivery-report.js';
import { ExporterError } from '../../src/kernel/errors.js';
import type { Sink, Store } from '../../src/pipeline/ports.js';
import { memoryStore, type ReadableStore } from '../support/memory-store.js';
import { readableSqliteStore } from '../support/dead-letters.js';
import { bench, put } from '../support/discovery-rig.js';
import { event, fakeServer, type FakeServer, recordingSink, session } from '../support/server-run.js';
import { logsThrough } from '../support/logs.js';
import { type PickyExporter, pickyExporter } from '../support/picky-receiver.js';

let picky: PickyExporter;
let sink: Sink;
let server: FakeServer;
beforeEach(() => {
  picky = pickyExporter();
  sink = logsThrough(picky);
  server = fakeServer();
  server.limit = 1_000;
});

/** A server whose only sink sends log records to the picky receiver. The returned function polls and delivers once. */
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
  for (let n = from; n < to; n += 1) picky.poison.add(`${id}-${String(n)}`);
};
const cursorOf = async (store: Store, id: string): Promise<string | undefined> =>
  (await store.rows('hq', [id])).find(row => row.sink === 'logs')?.cursor;
const deadLettersOf = async (store: ReadableStore): Promise<readonly string[]> =>
  (await store.deadLetters('hq')).map(({ event: id }) => id).toSorted();

describe('Nothing lost: a record that is refused while nothing else is due', () => {
  test('waits with its cursor, and becomes a dead letter when a newer session is taken', async () => {
    const store = memoryStore();
    const deliver = await line(store);
    hold('a', 0, 1);
    refuse('a', 0, 1);
    for (let n = 0; n < 3; n += 1) {
      expect(await deliver()).toMatchObject({ taken: 0, due: 1, errors: [{ reason: 'rejected' }] });
    }
    expect(await cursorOf(store, 'a')).toBe(';;');
    hold('b', 0, 2);
    const deadLetters = [{ sink: 'logs', session: 'a', event: 'a-0', reason: 'refused', at: server.at }];
    expect(await deliver()).toMatchObject({ errors: [], deadLetters: { count: 1, first: deadLetters } });
    expect(await store.deadLetters('hq')).toEqual(deadLetters);
    expect(picky.kept).toEqual(['b-0', 'b-1']);
    expect(await cursorOf(store, 'a')).toBe('0;Success=1;');
  });

  test('does not hold up a later record of the same session', async () => {
    const store = memoryStore();
    const deliver = await line(store);
    hold('a', 0, 1);
    refuse('a', 0, 1);
    await deliver();
    hold('a', 1, 2);
    expect(await deliver()).toMatchObject({ errors: [] });
    expect(await deadLettersOf(store)).toEqual(['a-0']);
    expect(picky.kept).toEqual(['a-1']);
  });

  test('becomes a dead letter in the transaction that moves its cursor, even after a restart in between', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'vb365-suspect-'));
    const path = join(directory, 'state.db');
    const first = await readableSqliteStore(path);
    const deliver = await line(first);
    hold('a', 0, 1);
    refuse('a', 0, 1);
    await deliver();
    await first.close();

    sink = logsThrough(picky);
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
    expect(await deadLettersOf(second)).toEqual(['a-0']);
    expect(commits).toEqual([true]);
    await inner.close();
    const third = await readableSqliteStore(path);
    expect(await deadLettersOf(third)).toEqual(['a-0']);
    expect(await third.deadLetters('other')).toEqual([]);
    await third.close();
    rmSync(directory, { recursive: true });
  });
});

describe('Nothing lost: more refused records than a batch holds', () => {
  test.each([
    ['another session', 'b'],
    ['the same session', 'a'],
  ])('do not hold up %s: the delivery probes the receiver, and the next decides', async (_, later) => {
    const store = memoryStore();
    const deliver = await line(store);
    hold('a', 0, 1_100);
    refuse('a', 0, 1_100);
    if (later === 'a') hold('a', 1_100, 2_300);
    else hold('b', 0, 5);
    expect(await deliver()).toMatchObject({ taken: 0, errors: [{ reason: 'rejected' }, { reason: 'rejected' }] });
    expect(await deadLettersOf(store)).toEqual([]);
    expect(await deliver()).toMatchObject({ errors: [] });
    expect(await deadLettersOf(store)).toHaveLength(1_100);
    expect(new Set(picky.kept).size).toBe(later === 'a' ? 1_200 : 5);
  });
});

describe('Nothing lost: a receiver that answers 400 to everything', () => {
  test('takes nothing, gets few requests, and gets everything once it works again', async () => {
    const store = memoryStore();
    const deliver = await line(store);
    hold('a', 0, 700);
    hold('b', 0, 700);
    picky.stubborn(true);
    expect(await deliver()).toMatchObject({ taken: 0, due: 2, errors: [{ reason: 'rejected' }] });
    picky.asked();
    await deliver();
    expect(picky.asked()).toBeLessThanOrEqual(10);
    expect([await cursorOf(store, 'a'), await cursorOf(store, 'b')]).toEqual([';;', ';;']);
    picky.stubborn(false);
    expect(await deliver()).toMatchObject({ taken: 1_400, errors: [] });
    expect(await deadLettersOf(store)).toEqual([]);
    expect(picky.kept).toHaveLength(1_400);
  });
});

/** One delivery of 15 batches: its report, how often the sink was called, and how many cursors moved. */
async function deliverWith(answers: readonly ExporterError[], otherwise?: ExporterError) {
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

describe('a delivery after a suspect batch', () => {
  const suspect = new ExporterError('rejected', 'answered 400', { details: { suspects: 1_000 } });
  const gone = new ExporterError('network', 'nobody answers');

  test('sends ten probes, and no more', async () => {
    const { report, asked, moved } = await deliverWith([], suspect);
    expect([asked, moved]).toEqual([11, 0]);
    expect(report).toMatchObject({ taken: 0, due: 15, errors: [suspect, suspect], undelivered: [suspect, suspect] });
  });

  test('continues past a session that cannot be read', async () => {
    const unreadable = new ExporterError('decode', 'no page');
    const events = server.events.bind(server);
    server.events = async (id, ...of) => {
      if (id === 's3') throw unreadable;
      return events(id, ...of);
    };
    const { report, asked } = await deliverWith([], suspect);
    expect(asked).toBe(11);
    expect(report).toMatchObject({ undelivered: [suspect, suspect], errors: [suspect, suspect, unreadable] });
  });

  test('ends at once when a probe is taken, and commits nothing', async () => {
    const { report, asked, moved } = await deliverWith([suspect, suspect]);
    expect([asked, moved]).toEqual([3, 0]);
    expect(report).toMatchObject({ taken: 0, due: 15, errors: [suspect, { reason: 'rejected' }] });
  });

  test('ends at once when the receiver does not answer', async () => {
    const { report, asked, moved } = await deliverWith([suspect, gone]);
    expect([asked, moved]).toEqual([2, 0]);
    expect(report).toMatchObject({ taken: 0, due: 15, undelivered: [suspect, gone] });
  });

  test('does not probe after a refusal that is not about records', async () => {
    const { asked, report } = await deliverWith([], new ExporterError('rejected', 'answered 404'));
    expect(asked).toBe(1);
    expect(report?.errors).toHaveLength(1);
  });
});
