import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type { Batch, Delivered } from '../../src/pipeline/ports.js';
import { ExporterError } from '../../src/kernel/errors.js';
import { createDelivery } from '../../src/otlp/bisecting-delivery.js';
import { logsThrough, logsTo } from '../support/logs.js';
import { type Answer, recordsOf, refuse } from '../support/otlp-receiver.js';
import { pickyExporter, type PickyReceiver, pickyReceiver, uidOf } from '../support/picky-receiver.js';
import { batch, guid, session, taken } from '../support/restore.js';

const never = new AbortController().signal;
/** Hundreds of requests, on a machine that may be busy. */
const slowMs = 60_000;
const sessionId = session().id;

let picky: PickyReceiver;
let sink: ReturnType<typeof logsTo>;
const open = async (loki: boolean): Promise<void> => {
  picky = await pickyReceiver({ loki });
  sink = logsTo(picky.receiver.url);
};
beforeEach(async () => open(false));
afterEach(async () => {
  await sink.close();
  await picky.receiver.close();
});

/** Events `from` up to, not including, `to`. */
const some = (from: number, to: number): Batch =>
  batch({
    events: Array.from({ length: to - from }, (_, n) => taken({ id: guid(from + n), order: from + n })),
  });
const deliver = async (of: Batch): Promise<Delivered> => sink.deliver(of, never);
const eventsOf = ({ deadLetters = [] }: Delivered): readonly string[] =>
  deadLetters.map(({ event }) => event).toSorted();
const guids = (...numbers: readonly number[]): readonly string[] => numbers.map(guid).toSorted();
const suspectBatch = (suspects: number) => ({ reason: 'rejected', details: { statusCode: 400, suspects } });

/** Delivers until it is taken, as a sink's deliveries do. Returns the dead letters, and how many tries it took. */
async function insist(of: Batch): Promise<Readonly<{ lost: readonly string[]; tries: number }>> {
  for (let tries = 1; tries <= 3; tries += 1) {
    // oxlint-disable-next-line no-await-in-loop -- one try after the other is the point
    const delivered = await deliver(of).catch(() => undefined);
    if (delivered !== undefined) return { lost: eventsOf(delivered), tries };
  }
  throw new Error('not taken in three tries');
}

describe.each([false, true])('Nothing lost: 400 for a record (the receiver keeps the rest: %s)', loki => {
  beforeEach(async () => {
    await sink.close();
    await picky.receiver.close();
    await open(loki);
  });

  test.each([
    ['first', 8, [0], 1],
    ['last', 8, [7], 1],
    ['in the middle', 8, [3], 1],
    ['two in a row', 8, [3, 4], 1],
    ['first and last', 8, [0, 7], 1],
    ['all but the first', 8, [1, 2, 3, 4, 5, 6, 7], 1],
    ['all but the last', 8, [0, 1, 2, 3, 4, 5, 6], 1],
    ['last of a full request', 512, [511], 1],
    ['first of the second request', 600, [512], 1],
    ['alone in the second request', 513, [512], 2],
    ['a whole second request', 516, [512, 513, 514, 515], 2],
  ])(
    '%s of %i: exactly that becomes a dead letter',
    async (_, count, poison, tries) => {
      for (const n of poison) picky.poison.add(guid(n));
      expect(await insist(some(0, count))).toEqual({ lost: guids(...poison), tries });
      const others = Array.from({ length: count }, (__, n) => n).filter(n => !poison.includes(n));
      expect([...new Set(picky.kept)].toSorted()).toEqual(guids(...others));
    },
    slowMs,
  );
});

test('Nothing lost: 400 for a whole first request of 600 makes exactly that dead letters', async () => {
  const exporter = pickyExporter();
  for (let n = 0; n < 512; n += 1) exporter.poison.add(guid(n));
  expect(eventsOf(await logsThrough(exporter).deliver(some(0, 600), never))).toHaveLength(512);
  expect(exporter.kept).toEqual(Array.from({ length: 88 }, (_, n) => guid(512 + n)));
});

describe('Nothing lost: a refused record', () => {
  test('becomes a dead letter with ids and reason, and is counted', async () => {
    picky.poison.add(guid(1));
    const { deltas, deadLetters } = await deliver(some(0, 3));
    const of = { sink: 'logs', session: sessionId, event: guid(1), reason: 'refused', at: batch().at };
    expect(deadLetters).toEqual([of]);
    const counts = deltas.filter(({ kind }) => kind === 'counter').map(({ family, labels }) => [family, ...labels]);
    expect(counts).toEqual([
      ['vb365_sink_delivered_total', 'hq', 'logs', 'delivered'],
      ['vb365_sink_delivered_total', 'hq', 'logs', 'rejected'],
      ['vb365_events_rejected_total', 'hq', 'logs', 'refused'],
    ]);
  });

  test('is found among 512 with no more than twenty requests', async () => {
    picky.poison.add(guid(300));
    expect(eventsOf(await deliver(some(0, 512)))).toEqual(guids(300));
    expect(picky.asked()).toBeLessThanOrEqual(20);
  });

  test('alone waits until another record is taken, in the same batch or in one between', async () => {
    picky.poison.add(guid(0));
    for (let n = 0; n < 3; n += 1) await expect(deliver(some(0, 1))).rejects.toMatchObject(suspectBatch(1));
    expect(eventsOf(await deliver(some(1, 2)))).toEqual([]);
    expect(eventsOf(await deliver(some(0, 1)))).toEqual(guids(0));
  });

  test('costs one request each when many wait that were refused alone, and another has been taken', async () => {
    for (let n = 0; n < 20; n += 1) picky.poison.add(guid(n));
    await expect(deliver(some(0, 20))).rejects.toMatchObject(suspectBatch(20));
    await deliver(some(20, 21));
    picky.asked();
    expect(eventsOf(await deliver(some(0, 20)))).toHaveLength(20);
    expect(picky.asked()).toBe(1 + 20);
  });

  test('together with a newer one that is taken is decided at once', async () => {
    picky.poison.add(guid(0));
    await expect(deliver(some(0, 1))).rejects.toMatchObject(suspectBatch(1));
    expect(eventsOf(await deliver(some(0, 2)))).toEqual(guids(0));
    expect(picky.kept).toEqual([guid(1)]);
  });

  test('waits again after a restart, and is decided all the same', async () => {
    picky.poison.add(guid(0));
    await expect(deliver(some(0, 1))).rejects.toMatchObject(suspectBatch(1));
    await sink.close();
    sink = logsTo(picky.receiver.url);
    await expect(deliver(some(0, 1))).rejects.toMatchObject(suspectBatch(1));
    expect(eventsOf(await deliver(some(0, 2)))).toEqual(guids(0));
  });

  test('is no longer suspect once it was taken, also when the rest of its batch was not', async () => {
    picky.receiver.answers.push(refuse(400));
    await expect(deliver(some(0, 1))).rejects.toMatchObject(suspectBatch(1));
    const takes: Answer = (response, request) => picky.receiver.otherwise(response, request);
    picky.receiver.answers.push(takes, refuse(503));
    await expect(deliver(some(0, 513))).rejects.toMatchObject({ reason: 'server' });
    picky.stubborn(true);
    await expect(deliver(some(0, 1))).rejects.toMatchObject(suspectBatch(1));
  });

  test('waits as long as the other side asks for', async () => {
    picky.receiver.answers.push(refuse(400, { 'retry-after': '7' }));
    await expect(deliver(some(0, 1))).rejects.toMatchObject({ ...suspectBatch(1), retryAfterMs: 7_000 });
  });

  test('is decided again when it is delivered once more, as from an older copy of the state', async () => {
    picky.poison.add(guid(0));
    expect(eventsOf(await deliver(some(0, 2)))).toEqual(guids(0));
    picky.stubborn(true);
    await expect(deliver(some(0, 1))).rejects.toMatchObject(suspectBatch(1));
  });

  test('is not judged by a success that keeps nothing', async () => {
    picky.poison.add(guid(0));
    await expect(deliver(some(0, 1))).rejects.toMatchObject(suspectBatch(1));
    picky.receiver.answers.push(refuse(200, {}, '{"partialSuccess":{"rejectedLogRecords":"1"}}'));
    await deliver(some(1, 2));
    await expect(deliver(some(0, 1))).rejects.toMatchObject(suspectBatch(1));
  });
});

describe('Nothing lost: a receiver, or a proxy, that answers 400 to everything', () => {
  test('is asked about each record once, then twice a request, and gets all when it is well again', async () => {
    const exporter = pickyExporter();
    const logs = logsThrough(exporter);
    exporter.stubborn(true);
    await expect(logs.deliver(some(0, 600), never)).rejects.toMatchObject(suspectBatch(600));
    exporter.asked();
    for (let n = 0; n < 5; n += 1)
      await expect(logs.deliver(some(0, 600), never)).rejects.toMatchObject(suspectBatch(600));
    expect(exporter.asked()).toBe(5 * 2 * 2);
    exporter.stubborn(false);
    expect(eventsOf(await logs.deliver(some(0, 600), never))).toEqual([]);
    expect(exporter.asked()).toBe(2);
    expect(new Set(exporter.kept).size).toBe(600);
  });

  test.each([1, 2, 5, 9, 14, 15])('and is well again after %i answers loses nothing', async refusals => {
    picky.receiver.answers.push(...Array.from({ length: refusals }, () => refuse(400)));
    const { lost } = await insist(some(0, 8));
    expect(lost).toEqual([]);
    expect(new Set(picky.kept).size).toBe(8);
  });

  test('and is well again on the second of two deliveries loses nothing', async () => {
    picky.stubborn(true);
    await expect(deliver(some(0, 8))).rejects.toMatchObject(suspectBatch(8));
    await expect(deliver(some(0, 8))).rejects.toMatchObject(suspectBatch(8));
    picky.receiver.answers.push(refuse(400));
    picky.stubborn(false);
    expect(eventsOf(await deliver(some(0, 8)))).toEqual([]);
    expect(picky.kept.toSorted()).toEqual(guids(0, 1, 2, 3, 4, 5, 6, 7));
  });
});

function limit(most: number): void {
  const { otherwise } = picky.receiver;
  picky.receiver.otherwise = (response, request) =>
    recordsOf(request).length > most ? refuse(413)(response, request) : otherwise(response, request);
}

describe('Nothing lost: 413', () => {
  test('halves until the pieces fit, in order', async () => {
    limit(100);
    expect(eventsOf(await deliver(some(0, 512)))).toEqual([]);
    expect(picky.kept).toEqual(Array.from({ length: 512 }, (_, n) => guid(n)));
  });

  test('of a record alone makes it a dead letter, as too large', async () => {
    const { otherwise } = picky.receiver;
    picky.receiver.otherwise = (response, request) =>
      recordsOf(request).map(uidOf).includes(guid(2)) ? refuse(413)(response, request) : otherwise(response, request);
    const { deadLetters } = await deliver(some(0, 5));
    expect(deadLetters).toMatchObject([{ event: guid(2), reason: 'too_large' }]);
  });

  test('for everything loses nothing', async () => {
    limit(0);
    await expect(deliver(some(0, 4))).rejects.toMatchObject({ reason: 'rejected', details: { suspects: 4 } });
    limit(1_000);
    expect(picky.kept).toEqual([]);
  });
});

const records = (...items: readonly string[]) => items.map((item, n) => ({ session: 's', event: String(n), item }));

describe('Nothing lost: what cannot even be encoded', () => {
  const { deliver: encoding } = createDelivery<string>({
    export: async items => {
      if (items.includes('odd')) throw new ExporterError('rejected', 'Could not encode log records');
      return { refused: 0 };
    },
  });

  test('is found among the others, and becomes a dead letter', async () => {
    const { deadLetters } = await encoding(records('a', 'b', 'odd', 'c'), never);
    expect(deadLetters).toEqual([{ session: 's', event: '2', reason: 'refused' }]);
  });

  test('is suspect when it is alone', async () => {
    await expect(encoding(records('odd'), never)).rejects.toMatchObject({
      reason: 'rejected',
      details: { suspects: 1 },
    });
  });
});

test('what is delivered after a failure was retried, and what comes next was not', async () => {
  picky.receiver.answers.push(refuse(503));
  await expect(deliver(some(0, 1))).rejects.toMatchObject({ reason: 'server' });
  const outcomes: unknown[] = [];
  for (let n = 0; n < 2; n += 1) outcomes.push((await deliver(some(n, n + 1))).deltas[0]?.labels);
  expect(outcomes).toEqual([
    ['hq', 'logs', 'retried'],
    ['hq', 'logs', 'delivered'],
  ]);
});
