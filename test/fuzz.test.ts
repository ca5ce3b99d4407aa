import { expect, test } from '@jest/globals';
import { JsonLogsSerializer } from '@opentelemetry/otlp-transformer';
import * as fc from 'fast-check';
import { ExporterError } from '../src/kernel/errors.js';
import type { RejectReason } from '../src/model/event.js';
import { seconds } from '../src/model/time.js';
import type { EventPage, EventRow } from '../src/pipeline/ports.js';
import { metricsSink } from '../src/metrics/metrics-sink.js';
import { defaultQuirks } from '../src/simulator/quirks.js';
import { itemEvent, roleOf, whileRunning } from '../src/simulator/script.js';
import { writeEvent } from '../src/simulator/wire.js';
import { decodeEvents } from '../src/source/decode-event.js';
import { decodePage } from '../src/source/page.js';
import { okJson } from '../src/source/request-errors.js';
import { itemRecord, readable } from '../src/otlp/log-record.js';
import { bench, grace, stop } from './support/discovery-rig.js';
import { page as pageOf, recordingSink, type RecordingSink, second, session } from './support/server-run.js';
import { origin } from './support/logs.js';
import { damage, damages } from './support/damage.js';

const range = { offset: 0, limit: 1000 };
const seed = 20_261_125;

/** A page as a server writes it: some of its rows are still running. */
const healthy = fc.record({
  version: fc.constantFrom(3, 6, 8),
  scene: fc.nat({ max: 500 }),
  rows: fc.array(fc.boolean(), { minLength: 1, maxLength: 8 }),
});
type Healthy = typeof healthy extends fc.Arbitrary<infer Value> ? Value : never;

function pageText({ version, scene: number, rows }: Healthy): string {
  const scene = { seed, number, quirks: defaultQuirks };
  const role = roleOf(scene);
  const results = rows.map((done, order) => {
    const event = itemEvent(scene, role, { order, startedAt: second * BigInt(order + 1), longestSeconds: 9 });
    const dialect = { version, quirks: defaultQuirks };
    return writeEvent(done ? event : whileRunning(event), role.id, dialect);
  });
  return JSON.stringify({ offset: 0, limit: 1000, _links: {}, results });
}

/** Later than all times of the simulator's events. */
const readAt = seconds(4_000_000_000);

/** As the source reads it; undefined when it is refused, for which `decode` is the only reason. */
function read(text: string): EventPage | undefined {
  try {
    const json = okJson('events', { status: 200, body: text, retryAfterMs: undefined });
    return decodeEvents(decodePage(json, { operation: 'events', ...range }), {
      offset: 0,
      readAt,
      ownerOf: () => undefined,
    });
  } catch (thrown) {
    if (thrown instanceof ExporterError && thrown.reason === 'decode') return undefined;
    throw thrown;
  }
}

/** What has to come of the rows once the session is over for good: each is in exactly one place. */
type Fate = { taken: string[]; rejected: Partial<Record<RejectReason, number>>; abandoned: number; repeated: number };

function fateOf(rows: readonly EventRow[]): Fate {
  const fate: Fate = { taken: [], rejected: {}, abandoned: 0, repeated: 0 };
  const ids = new Map<number, string>();
  const reject = (reason: RejectReason): void => void (fate.rejected[reason] = (fate.rejected[reason] ?? 0) + 1);
  for (const row of rows) {
    const id = 'event' in row ? row.event.id : row.id;
    const earlier = ids.get(row.order);
    if (earlier !== undefined && earlier === id) fate.repeated += 1;
    else if (earlier !== undefined) reject('duplicate_order');
    else if ('rejected' in row) reject(row.rejected);
    else if (row.event.status.label === 'Running') fate.abandoned += 1;
    else fate.taken.push(id);
    ids.set(row.order, earlier ?? id);
  }
  const orders = [...ids.keys()];
  if (orders.length > 0) fate.abandoned += Math.max(...orders) - Math.min(...orders) + 1 - orders.length;
  fate.taken.sort();
  return fate;
}

/** The fate of the rows, as the sink received it. */
function outcomeOf(sink: RecordingSink): Omit<Fate, 'repeated'> {
  const rejected: Fate['rejected'] = {};
  for (const { findings } of sink.batches)
    for (const [reason, count] of Object.entries(findings.rejected) as [RejectReason, number][])
      rejected[reason] = (rejected[reason] ?? 0) + count;
  return {
    taken: [...sink.taken()].sort(),
    rejected,
    abandoned: sink.batches.reduce((sum, batch) => sum + batch.findings.abandoned, 0),
  };
}

/** A sink that keeps what it is given, and does with it all that the real ones do. */
function wholeSink(): RecordingSink {
  const recording = recordingSink('metrics');
  const metrics = metricsSink('hq');
  return Object.assign(recording, {
    deliver: async (batch: Parameters<RecordingSink['deliver']>[0], signal: AbortSignal) => {
      recording.batches.push(batch);
      JsonLogsSerializer.serializeRequest(
        batch.events.map(taken => readable(itemRecord(taken, origin, { observedAt: 0n }))),
      );
      return metrics.deliver(batch, signal);
    },
  });
}

/** Lets a line read the page (none: it is refused) while its session is open, and until the line is done with it. */
async function live(page: EventPage | undefined) {
  const sink = wholeSink();
  const { server, step, store } = bench({ sinks: [sink] });
  // Before all that a page may hold, so that nothing is history.
  server.at = -(10n ** 21n);
  await step();
  server.at = 1_000n * second;
  server.held.set('s1', session({ createdAt: server.at }));
  server.events = async (_, offset) => {
    if (page === undefined) throw new ExporterError('decode', 'Could not read restore events');
    return offset === 0
      ? { ...page, readAt: server.at }
      : pageOf(page.rows.slice(offset), { offset, readAt: server.at });
  };
  await step();
  stop(server, 's1', server.at);
  server.at += grace + second;
  const failed = (await step()).flatMap(({ errors }) => errors.map(({ reason }) => reason));
  for (let left = 2; left > 0; left -= 1) {
    server.at += 60n * second;
    await step();
  }
  return { sink, failed, pending: await store.pending('hq', 'metrics') };
}

test('Nothing lost: 1,000 damaged pages crash and hang nothing; each row is taken, or rejected and counted', async () => {
  let refused = 0;
  await fc.assert(
    fc.asyncProperty(healthy, damages, async (one, done) => {
      const text = damage(pageText(one), done);
      const page = read(text);
      const { sink, failed, pending } = await live(page);
      if (page === undefined) {
        refused += 1;
        expect([failed, sink.batches.length, pending.length]).toEqual([['decode'], 0, 1]);
        return;
      }
      const { repeated, ...fate } = fateOf(page.rows);
      expect(outcomeOf(sink)).toEqual(fate);
      expect(pending).toEqual([]);
      const set = Object.values(fate.rejected).reduce((sum, count) => sum + count, 0);
      expect(fate.taken.length + set + repeated).toBeLessThanOrEqual(page.rows.length);
    }),
    { numRuns: 1_000, seed },
  );
  // Damage that nothing survives, or everything does, would show nothing.
  expect(refused).toBeGreaterThan(50);
  expect(refused).toBeLessThan(900);
}, 120_000);
