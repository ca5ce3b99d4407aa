import { describe, expect, test } from '@jest/globals';
import type { Config } from '../../src/config/parse.js';
import { systemClock } from '../../src/kernel/clock.js';
import { Secret } from '../../src/kernel/secret.js';
import { milliseconds, type Nanos } from '../../src/model/time.js';
import { simulate } from '../../src/simulator/simulate.js';
import type { World } from '../../src/simulator/world.js';
import { keepAll, target } from '../support/otlp-target.js';
import { program, type Program } from '../support/program.js';
import { inFolder } from '../support/folder.js';
import { configOf, serverConfig } from '../support/program-config.js';
import { expectedOf, withoutOwner } from './support/book.js';
import { type Collector, startCollector, type Written } from './support/collector.js';
import { eventually, freePort } from './support/running.js';

const types = ['None', 'View', 'Save', 'Export', 'Send', 'Restore'];
const statuses = ['Success', 'Warning', 'Failed', 'Cancelled', 'Skipped'];
const workloads = ['Vex', 'Veod', 'Vesp', 'Vet'];

/** A session with every type and status, and texts that are hard to carry. */
function fill(world: World, count: number, startedAt: Nanos): string {
  const index = world.sessions().length;
  const session = world.addSession({
    createdAt: startedAt,
    type: workloads[index % workloads.length] ?? 'Vex',
    name: `Restore "${String(index)}" <ü€😀>`,
    organization: `org${String(index % 3)}.example.com`,
    initiatedBy: 'EXAMPLE\\operator',
    scopeName: 'alice@example.com',
    clientHost: '10.0.0.7',
    reason: 'Ticket 4711',
  });
  addEvents(world, session.id, count, startedAt);
  return session.id;
}

function addEvents(world: World, session: string, count: number, startedAt: Nanos): void {
  for (let order = 0; order < count; order += 1)
    world.appendEvent(session, {
      startedAt: startedAt + BigInt(order) * 1_234_500n,
      endedAt: startedAt + BigInt(order) * 1_234_500n + BigInt(order % 7) * 100n,
      type: types[order % types.length] ?? 'None',
      status: statuses[order % statuses.length] ?? 'Success',
      title: 'Something happened',
      message: `It went as it went, "${String(order)}"`,
      itemName: `naïve ${String(order)} \\ "quoted" 😀.docx`,
      itemType: 'Item',
      itemSizeBytes: order * 1_000_003,
      source: '/personal/alice/Documents',
      target: 'C:\\Temp\\x',
    });
}

type Wire = Readonly<{ protocol: 'http/json' | 'http/protobuf'; compression: 'none' | 'gzip' }>;

function configFor(folder: string, source: string, base: URL, over: Wire & Readonly<{ token: string }>): Config {
  const { token, ...wire } = over;
  const to = { ...wire, headers: { authorization: new Secret(`Bearer ${token}`) } };
  return {
    ...configOf(folder, serverConfig(source, { apiVersion: 'v8' })),
    history: { kind: 'all' },
    logs: {
      ...target(new URL('/v1/logs', base), to),
      personalData: keepAll,
      maxAgeMs: undefined,
      maxBehindMs: undefined,
      maxAheadMs: undefined,
    },
    traces: { ...target(new URL('/v1/traces', base), to), personalData: keepAll, maxAheadMs: undefined },
  };
}

const delivered = async (app: Program, sink: string): Promise<number> => {
  const counts = ['delivered', 'retried'].map(async outcome =>
    app.value(`vb365_sink_delivered_total{server="hq",sink="${sink}",outcome="${outcome}"}`),
  );
  return (await Promise.all(counts)).reduce<number>((sum, count) => sum + (count ?? 0), 0);
};

/** True once the program's log says that delivering has failed for this reason. */
const said = (app: Program, reason: string): true | undefined =>
  app.said.some(line => line.includes('Delivery failed') && line.includes(`reason=${reason}`)) || undefined;

const without = (attributes: Readonly<Record<string, unknown>>, ...names: readonly string[]) =>
  Object.fromEntries(Object.entries(attributes).filter(([name]) => !names.includes(name)));

/** Each record once, by its uid; a repetition must be the same but for when it was observed. */
function distinct(written: readonly Written[], idOf: (one: Written) => string): ReadonlyMap<string, Written> {
  const byId = new Map<string, Written>();
  for (const one of written) {
    const known = byId.get(idOf(one));
    if (known !== undefined) expect({ ...one, observedTimeUnixNano: known['observedTimeUnixNano'] }).toEqual(known);
    byId.set(idOf(one), one);
  }
  return byId;
}

const uidOf = ({ attributes }: Written): string => String(attributes['log.record.uid']);
const spanKey = (one: Written): string => `${String(one['traceId'])} ${String(one['spanId'])}`;

/** Without what the book does not know: owners; and with very many failures, a cursor does not hold which was the first. */
function comparable(
  sent: Readonly<Record<string, unknown>>,
  { 'error.message': first }: Readonly<Record<string, unknown>>,
) {
  const isUnknown = sent['error.message'] === 'Events of the session failed; their records have the reasons';
  return { ...withoutOwner(sent), ...(isUnknown ? { 'error.message': first } : {}) };
}

/** Holds all that the Collector has written against the book, attribute by attribute. */
function compare(world: World, collector: Collector): void {
  const expected = expectedOf(world);
  const records = distinct(collector.logs(), uidOf);
  expect([...records.keys()].sort()).toEqual([...expected.keys()].sort());
  for (const [uid, { attributes, time, severity, traceId, spanId }] of expected) {
    const record = records.get(uid);
    expect(record).toMatchObject({ timeUnixNano: time, severityNumber: severity, traceId, spanId });
    const sent = without(record?.attributes ?? {}, 'log.record.uid', 'veeam.event.kind');
    expect(comparable(sent, attributes)).toEqual(attributes);
    expect(record?.['eventName']).toBe(record?.attributes['veeam.event.kind']);
    expect(record).toMatchObject({ scope: 'vb365-exporter', resource: { 'service.instance.id': 'hq' } });
  }
  const spans = distinct(collector.spans(), spanKey);
  expect(spans.size).toBe(expected.size);
  for (const { attributes, time, start, traceId, spanId, parentSpanId } of expected.values()) {
    const span = spans.get(`${traceId} ${spanId}`);
    expect(span?.['parentSpanId'] ?? '').toBe(parentSpanId);
    expect(span).toMatchObject({ startTimeUnixNano: start, endTimeUnixNano: time, kind: 1 });
    expect(comparable(span?.attributes ?? {}, attributes)).toEqual(attributes);
    expect(span).toMatchObject({ scope: 'vb365-exporter', resource: { 'service.name': 'vb365-exporter' } });
  }
}

describe('a real Collector', () => {
  test.each([
    { protocol: 'http/json', compression: 'gzip' },
    { protocol: 'http/protobuf', compression: 'gzip' },
    { protocol: 'http/protobuf', compression: 'none' },
  ] as const)(
    'Nothing lost: gets every record and span, restarted in mid-stream ($protocol, $compression)',
    async wire => {
      await inFolder(async folder => {
        const simulator = await simulate({ clock: systemClock });
        const { world } = simulator;
        const begun = milliseconds(systemClock.now() - 600_000);
        const port = await freePort();
        const first = await startCollector(folder, port);
        const sessions = [1, 2, 3].map(() => fill(world, 900, begun));
        const open = fill(world, 30, begun);
        for (const session of sessions)
          world.stopSession(session, { endedAt: begun + 60_000_000_000n, details: 'Gone' });
        const app = await program(configFor(folder, simulator.url, first.url, { ...wire, token: first.token }));
        try {
          await eventually('the stream flows', () =>
            first.logs().length > 0 && first.spans().length > 0 ? true : undefined,
          );
          await first.stop();
          addEvents(world, open, 20, begun + 10_000_000_000n);
          world.stopSession(open, { endedAt: begun + 90_000_000_000n });
          await eventually('a delivery fails', () => said(app, 'network'));
          const second = await startCollector(folder, port);
          const all = expectedOf(world).size;
          await eventually('all is delivered', async () => {
            const counts = [await delivered(app, 'logs'), await delivered(app, 'traces')];
            return counts.every(count => count === all) ? true : undefined;
          });
          expect(await app.stop(5_000)).toBe('drained');
          await second.stop();
          compare(world, second);
        } finally {
          await app.stop(5_000);
          await simulator.close();
        }
      });
    },
    240_000,
  );

  test('refuses a wrong token; that is said, nothing is lost, and nothing arrives', async () => {
    await inFolder(async folder => {
      const simulator = await simulate({ clock: systemClock });
      const collector = await startCollector(folder, await freePort());
      fill(simulator.world, 3, milliseconds(systemClock.now() - 60_000));
      const wire = { protocol: 'http/json', compression: 'none', token: 'wrong' } as const;
      const app = await program(configFor(folder, simulator.url, collector.url, wire));
      try {
        await eventually('it is said', () => said(app, 'auth'));
        expect(await delivered(app, 'logs')).toBe(0);
        expect(await app.value('vb365_sink_backlog_sessions{server="hq",sink="logs"}')).toBe(1);
        expect((await app.get('/metrics')).text + app.said.join('\n')).not.toContain('Bearer');
      } finally {
        await app.stop(5_000);
        await collector.stop();
        await simulator.close();
      }
      expect([collector.logs(), collector.spans()]).toEqual([[], []]);
    });
  }, 120_000);
});
