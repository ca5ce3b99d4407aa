import { describe, expect, test } from '@jest/globals';
import { systemClock } from '../../src/kernel/clock.js';
import { milliseconds } from '../../src/model/time.js';
import { organizations } from '../../src/simulator/cast.js';
import { simulate } from '../../src/simulator/simulate.js';
import { World } from '../../src/simulator/world.js';
import { keepAll, target } from '../support/otlp-target.js';
import { officeHours } from '../support/office-hours.js';
import { inFolder } from '../support/folder.js';
import { program, type Program } from '../support/program.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { expectedOf, takenFromMessage, withoutOwner } from './support/book.js';
import type { Written } from './support/collector.js';
import { type Jaeger, startJaeger } from './support/jaeger.js';
import { type Prometheus, startPrometheus } from './support/prometheus.js';
import { eventually } from './support/running.js';
import { startVictoriaLogs, type VictoriaLogs } from './support/victoria-logs.js';

type Stage = Readonly<{ app: Program; logs: VictoriaLogs; traces: Jaeger; world: World }>;

/** A working day; it ended long ago, so that it is the same whenever the test runs. */
function dayOf(world: World): void {
  const untilMs = Date.parse('2026-03-14T02:00:00Z');
  officeHours({ seed: 3, organizations, fromMs: untilMs - 86_400_000, untilMs, sessionsPerHour: 5 }).advance(
    world,
    untilMs,
  );
}

/** The exporter with a real store of logs and one of traces, once both have everything. */
async function onStage(play: (stage: Stage) => Promise<void>): Promise<void> {
  await inFolder(async folder => {
    const world = new World(3);
    dayOf(world);
    const simulator = await simulate({ clock: systemClock, world, seed: 3 });
    const logs = await startVictoriaLogs(folder, { flags: ['-retentionPeriod=10y'] });
    const traces = await startJaeger(folder);
    const common = { personalData: keepAll, maxAheadMs: undefined };
    const app = await program({
      ...configOf(folder, serverConfig(simulator.url, { apiVersion: 'v8' })),
      history: { kind: 'all' },
      logs: {
        ...target(logs.url, { protocol: 'http/protobuf' }),
        ...common,
        maxAgeMs: undefined,
        maxBehindMs: undefined,
      },
      traces: { ...target(traces.url, { protocol: 'http/protobuf' }), ...common },
    });
    try {
      await eventually('everything is delivered', async () => {
        const counts = [await delivered(app, 'logs'), await delivered(app, 'traces')];
        return counts.every(count => count === expectedOf(world).size) ? true : undefined;
      });
      await logs.flush();
      await play({ app, logs, traces, world });
    } finally {
      await app.stop(5_000);
      await traces.stop();
      await logs.stop();
      await simulator.close();
    }
  });
}

const delivered = async (app: Program, sink: string): Promise<number | undefined> =>
  app.value(`vb365_sink_delivered_total{server="hq",sink="${sink}",outcome="delivered"}`);

const traceIdsOf = (world: World): readonly string[] =>
  world
    .sessions()
    .map(({ id }) => id.replaceAll('-', ''))
    .toSorted();

const comparable = (attributes: Readonly<Record<string, unknown>>) =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !takenFromMessage.includes(name)));

/** Holds a trace against the book: its session is the root, with one span per event under it. */
function compare(spans: readonly Written[], traceId: string, world: World): void {
  const wanted = [...expectedOf(world).values()].filter(one => one.traceId === traceId);
  expect(spans).toHaveLength(wanted.length);
  expect(spans.filter(span => (span['parentSpanId'] ?? '') === '')).toHaveLength(1);
  for (const { attributes, time, start, spanId, parentSpanId } of wanted) {
    const span = spans.find(one => one['spanId'] === spanId);
    expect(span?.['parentSpanId'] ?? '').toBe(parentSpanId);
    const end = time === start ? String(BigInt(time) + 1n) : time; // Jaeger gives a span at least 1 ns
    expect(span).toMatchObject({ traceId, startTimeUnixNano: start, endTimeUnixNano: end, kind: 1 });
    expect(withoutOwner(comparable(span?.attributes ?? {}))).toEqual(comparable(attributes));
    expect(span?.resource).toMatchObject({ 'service.name': 'vb365-exporter', 'service.instance.id': 'hq' });
  }
}

/** A restore that fails now, and the id of its session. */
function failedSession(world: World): string {
  const at = milliseconds(systemClock.now());
  const { id } = world.addSession({ createdAt: at });
  world.appendEvent(id, { startedAt: at, type: 'Restore', status: 'Failed', message: 'x' });
  world.stopSession(id, { endedAt: at });
  return id;
}

async function exemplarIn(prometheus: Prometheus) {
  const series = 'vb365_restore_events_total{status="Failed"}';
  const end = String(systemClock.now() / 1000 + 60);
  const path = `query_exemplars?query=${encodeURIComponent(series)}&start=0&end=${end}`;
  const text = JSON.stringify(await prometheus.data(path));
  const [, traceId] = /"trace_id":"(\w{32})"/.exec(text) ?? [];
  const [, spanId] = /"span_id":"(\w{16})"/.exec(text) ?? [];
  return traceId === undefined || spanId === undefined ? undefined : { traceId, spanId };
}

describe('a real Jaeger', () => {
  test('Nothing lost: has each restore session as one trace, found by the id in its log records', async () => {
    await onStage(async ({ logs, traces, world }) => {
      const ids = traceIdsOf(world);
      expect(ids.length).toBeGreaterThan(20);
      expect((await traces.traceIds()).toSorted()).toEqual(ids);
      const records = await logs.records('"service.name":="vb365-exporter"');
      expect([...new Set(records.map(({ trace_id = '' }) => trace_id))].toSorted()).toEqual(ids);
      const others: unknown[] = [];
      for (const id of ids) {
        const spans = await traces.trace(id);
        for (const { attributes } of spans)
          if (attributes['veeam.restore.owner.relation'] === 'other')
            others.push(attributes['veeam.restore.owner.name']);
        compare(spans, id, world);
        const ofRecords = records.filter(({ trace_id }) => trace_id === id).map(({ span_id = '' }) => span_id);
        expect(spans.map(span => String(span['spanId'])).toSorted()).toEqual(ofRecords.toSorted());
      }
      expect(others).toEqual(expect.arrayContaining(['Adele Vance']));
    });
  });

  test('has the trace, and VictoriaLogs the record, that an exemplar in Prometheus names', async () => {
    await onStage(async ({ app, logs, traces, world }) => {
      const scraped = `127.0.0.1:${String(app.listening.port)}`;
      const prometheus = await startPrometheus({ target: scraped, intervalSeconds: 1 });
      try {
        const session = failedSession(world);
        const { traceId, spanId } = await eventually('an exemplar', async () => exemplarIn(prometheus));
        expect(traceId).toBe(session.replaceAll('-', ''));
        const spans = await eventually('the trace', async () => {
          const found = await traces.trace(traceId);
          return found.length === 2 ? found : undefined;
        });
        compare(spans, traceId, world);
        expect(spans.map(span => span['spanId'])).toContain(spanId);
        const query = `trace_id:="${traceId}" span_id:="${spanId}"`;
        const [record] = await eventually('the record', async () => {
          const found = await logs.records(query);
          return found.length === 1 ? found : undefined;
        });
        expect(record).toMatchObject({ 'veeam.restore.session.id': session, 'veeam.restore.event.status': 'Failed' });
      } finally {
        await prometheus.stop();
      }
    });
  });
});
