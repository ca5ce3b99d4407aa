import { describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { eventStatus } from '../../src/model/event.js';
import { windowStart } from '../../src/discovery/list-scan.js';
import type { Store } from '../../src/pipeline/ports.js';
import { memoryStore } from '../support/memory-store.js';
import { bench, grace, put, stop } from '../support/discovery-rig.js';
import { event, fakeServer, type FakeServer, pageOf, recordingSink, second, session } from '../support/server-run.js';

describe('a line', () => {
  test('a session that has come to its end is done, and is not read again', async () => {
    const { server, step, store } = bench();
    server.at = 100n * second;
    await step();
    server.held.set('s1', session({ createdAt: server.at }));
    put(server, 's1', event(0, { endedAt: server.at }), event(1, { endedAt: server.at }));
    await step();
    stop(server, 's1', server.at + second);
    server.at += 10n * second;
    await step();
    server.at += 90n * second;
    await step();
    expect(await store.pending('hq', 'metrics')).toEqual([]);
    const before = server.asked.length;
    await step();
    expect(server.asked.slice(before).filter(what => what.startsWith('events'))).toEqual([]);
  });

  test('passes over what ended before it first met the server, also inside an open session', async () => {
    const { server, step, sinks } = bench();
    server.at = 100n * second;
    server.held.set('s1', session({ createdAt: 50n * second }));
    put(server, 's1', event(0, { endedAt: 60n * second }));
    await step();
    put(server, 's1', event(1, { endedAt: 101n * second }));
    await step();
    expect(sinks[0]?.taken()).toEqual(['e1']);
  });

  test('takes a result once, when the session has stopped', async () => {
    const { server, step, sinks } = bench();
    server.at = 100n * second;
    server.held.set('s1', session({ createdAt: server.at }));
    await step();
    stop(server, 's1', 101n * second);
    for (let n = 0; n < 4; n += 1) {
      server.at += 60n * second;
      await step();
    }
    expect(sinks[0]?.batches.flatMap(({ results }) => results.map(({ id }) => id))).toEqual(['s1']);
  });

  test('gives up a hole and a running event when the grace time after the stop is over, and counts them', async () => {
    const { server, step, sinks, store } = bench();
    server.at = 100n * second;
    await step();
    server.held.set('s1', session({ createdAt: server.at }));
    const running = event(3, { status: eventStatus('Running'), endedAt: undefined, startedAt: server.at });
    put(server, 's1', event(0, { endedAt: server.at }), event(2, { endedAt: server.at }), running);
    await step();
    stop(server, 's1', server.at);
    server.at += grace + second;
    await step();
    await step();
    const findings = (sinks[0]?.batches ?? []).map(batch => batch.findings);
    expect(findings.reduce((sum, { abandoned }) => sum + abandoned, 0)).toBe(2);
    expect(findings.reduce((sum, { anomalies }) => sum + (anomalies.order_gap ?? 0), 0)).toBe(1);
    expect(await store.pending('hq', 'metrics')).toEqual([]);
  });

  test('reports at the last reading what changed after it had been taken', async () => {
    const { server, step, sinks } = bench();
    server.at = 100n * second;
    await step();
    server.held.set('s1', session({ createdAt: server.at }));
    put(server, 's1', event(0, { endedAt: server.at }), event(1, { endedAt: server.at }));
    await step();
    server.rows.set('s1', []);
    const failed = event(1, { endedAt: server.at, status: eventStatus('Failed') });
    put(server, 's1', event(0, { endedAt: server.at }), failed);
    stop(server, 's1', server.at);
    server.at += 90n * second;
    await step();
    expect(sinks[0]?.batches.at(-1)?.findings.corrections).toBe(1);
    expect(sinks[0]?.taken()).toEqual(['e0', 'e1']);
  });

  test('looks at everything once more when the last hole has been filled late', async () => {
    const { server, step, sinks, store } = bench();
    server.at = 100n * second;
    await step();
    server.held.set('s1', session({ createdAt: server.at }));
    const running = event(2, { status: eventStatus('Running'), endedAt: undefined, startedAt: server.at });
    put(server, 's1', event(0, { endedAt: server.at }), event(1, { endedAt: server.at }), running);
    await step();
    stop(server, 's1', server.at);
    server.at += 90n * second;
    await step();
    server.rows.set('s1', []);
    const failed = event(0, { endedAt: server.at, status: eventStatus('Failed') });
    put(server, 's1', failed, event(1, { endedAt: server.at }), event(2, { endedAt: server.at }));
    await step();
    await step();
    expect(sinks[0]?.taken()).toEqual(['e0', 'e1', 'e2']);
    expect(sinks[0]?.batches.at(-1)?.findings.corrections).toBe(1);
    expect(await store.pending('hq', 'metrics')).toEqual([]);
  });

  test('rejects a second event with the same order, and counts it once', async () => {
    const { server, step, sinks } = bench();
    server.at = 100n * second;
    await step();
    server.held.set('s1', session({ createdAt: server.at }));
    put(server, 's1', event(0, { endedAt: server.at }), event(0, { id: 'duplicate', endedAt: server.at }));
    await step();
    stop(server, 's1', server.at);
    for (let n = 0; n < 3; n += 1) {
      server.at += 90n * second;
      await step();
    }
    const rejected = (sinks[0]?.batches ?? []).map(batch => batch.findings.rejected.duplicate_order ?? 0);
    expect(rejected.reduce((sum, count) => sum + count, 0)).toBe(1);
    expect(sinks[0]?.taken()).toEqual(['e0']);
  });

  test('reads a page once for two sinks at the same place', async () => {
    const { server, step } = bench({ sinks: [recordingSink('metrics'), recordingSink('logs')] });
    await step();
    server.held.set('s1', session({ createdAt: 1n }));
    put(server, 's1', event(0));
    await step();
    expect(server.asked.filter(what => what === 'events s1 0')).toHaveLength(1);
  });

  test('reads on from where it stands, overlapping the last row', async () => {
    const { server, step } = bench();
    await step();
    server.limit = 100;
    server.held.set('s1', session({ createdAt: 1n }));
    put(server, 's1', ...Array.from({ length: 50 }, (_, order) => event(order)));
    await step();
    await step();
    expect(server.asked.filter(what => what.startsWith('events'))).toEqual(['events s1 0', 'events s1 49']);
  });

  test('writes nothing while nothing is new', async () => {
    let commits = 0;
    const inner = memoryStore();
    const store: Store = { ...inner, commit: async change => ((commits += 1), inner.commit(change)) };
    const { server, step } = bench({ store });
    server.held.set('s1', session());
    put(server, 's1', event(0));
    await step();
    const before = commits;
    await step();
    await step();
    expect(commits).toBe(before);
  });

  test('asks for old open sessions by id once a minute, and lists from the oldest recent one', async () => {
    const day = 24n * 3600n * second;
    const { server, find } = bench();
    server.at = 10n * day;
    server.held.set('old', session({ id: 'old', createdAt: day }));
    server.held.set('recent', session({ id: 'recent', createdAt: 10n * day - 3600n * second }));
    const recent = `sessions ${String(10n * day - 3600n * second)}`;
    await find();
    await find();
    expect(server.asked).toEqual(['sessions', recent, 'session old']);
    server.at += 59n * second;
    await find();
    server.at += second;
    await find();
    expect(server.asked.slice(3)).toEqual([recent, recent, 'session old']);
  });

  test('looks back by the overlap while nothing is open', () => {
    expect(windowStart({ watermark: 1000n * second, open: new Map() })).toBe(700n * second);
  });

  test('a session that the server has forgotten is done, and no news when it comes back', async () => {
    const { server, step, store, sinks } = bench();
    await step();
    server.held.set('s1', session({ createdAt: 1n }));
    put(server, 's1', event(0));
    await step();
    server.held.delete('s1');
    await step();
    expect(await store.pending('hq', 'metrics')).toEqual([]);
    server.held.set('s1', session({ createdAt: 1n }));
    await step();
    expect(sinks[0]?.taken()).toEqual(['e0']);
  });

  test.each(['decode', 'rejected', 'server', 'timeout'] as const)(
    'a session whose events fail with %s does not hold up the others, and is tried again after a rest',
    async reason => {
      const server = fakeServer();
      let asked = 0;
      const events: FakeServer['events'] = async id => {
        if (id !== 'a') return pageOf(event(0));
        asked += 1;
        throw new ExporterError(reason, 'Could not read a page');
      };
      const { step, sinks } = bench({ server: Object.assign(server, { events }) });
      await step();
      server.held.set('a', session({ id: 'a', createdAt: 1n }));
      server.held.set('b', session({ id: 'b', createdAt: 2n }));
      const [report] = await step();
      expect(sinks[0]?.taken()).toEqual(['e0']);
      expect(report?.errors.map(error => error.reason)).toEqual([reason]);
      await step();
      expect(asked).toBe(1);
      server.at += 11n * second;
      await step();
      expect(asked).toBe(2);
    },
  );

  test('an old open session that cannot be read by its id fails nothing else, and stays open', async () => {
    const day = 24n * 3600n * second;
    const { server, find, openIds } = bench();
    server.at = 10n * day;
    server.held.set('old', session({ id: 'old', createdAt: day }));
    await find();
    server.session = async () => {
      throw new ExporterError('decode', 'Could not read a restore session');
    };
    server.held.set('new', session({ id: 'new', createdAt: 10n * day }));
    const report = await find();
    expect([report.result, report.rejects]).toEqual(['partial', ['Could not read a restore session (session old)']]);
    expect(openIds()).toEqual(['new', 'old']);
  });

  test('delivers a long session in batches of at most 1,000 events', async () => {
    const { server, step, sinks } = bench();
    await step();
    server.limit = 2_500;
    server.held.set('s1', session({ createdAt: 1n }));
    put(server, 's1', ...Array.from({ length: 4_000 }, (_, order) => event(order)));
    await step();
    expect(sinks[0]?.batches.map(batch => batch.events.length)).toEqual([1000, 1000, 500, 1000, 500]);
  });
});
