import { describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { milliseconds } from '../../src/model/time.js';
import { createBacklog, entryOf } from '../../src/pipeline/backlog.js';
import type { DiscoveryReport } from '../../src/discovery/scheduler.js';
import { statusObserver } from '../../src/server/status-observer.js';
import { fakeClock } from '../support/fake-clock.js';
import { session } from '../support/server-run.js';
import { serverConfig } from '../support/program.js';

const startMs = Date.parse('2026-11-25T09:00:00Z');
const report = (over: Partial<DiscoveryReport> = {}): DiscoveryReport => ({
  result: 'complete',
  error: undefined,
  seconds: 0,
  listed: 0,
  rejects: [],
  ...over,
});
const failure = (reason: 'network' | 'store', message: string): DiscoveryReport =>
  report({ result: 'failed', error: new ExporterError(reason, message) });

/** @param aheadMs how far the clock of the server is ahead of ours. */
function watched(aheadMs = 0) {
  const clock = fakeClock(startMs);
  const config = serverConfig('https://vb365.example.com:4443/ignored');
  const server = { now: () => milliseconds(clock.now() + aheadMs) };
  return { clock, watch: statusObserver(config, ['metrics', 'logs'], { ours: clock, server }) };
}

describe('what the page shows of a server', () => {
  test('is nothing but its address before the first turn', () => {
    const { watch: status } = watched();
    expect(status.tried()).toBe(false);
    expect(status.view()).toEqual({
      name: 'hq',
      origin: 'https://vb365.example.com:4443',
      state: 'unknown',
      error: '',
      apiVersion: '',
      version: '',
      lastTurnAgoMs: undefined,
      open: undefined,
      sinks: [
        { name: 'metrics', backlog: 0 },
        { name: 'logs', backlog: 0 },
      ],
    });
  });

  test('is what it said of itself, and how long ago it was read completely', async () => {
    const { clock, watch: status } = watched();
    status.observer.met({ apiVersion: 'v8', version: '8.1.0.1', installationId: 'i' });
    status.observer.discovered(report(), []);
    await clock.advance(7_000);
    status.observer.discovered(report({ result: 'partial' }), []);
    status.observer.delivered('logs', { taken: 0, corrections: 0, errors: [], due: 3 });
    expect(status.tried()).toBe(true);
    expect(status.view()).toMatchObject({ state: 'up', apiVersion: 'v8', version: '8.1.0.1', lastTurnAgoMs: 7_000 });
    expect(status.view()).toMatchObject({ open: [], sinks: [{ backlog: 0 }, { backlog: 3 }] });
  });

  test('is why it is down, beside what was open when it was read last; and nothing of that once it is back', () => {
    const { watch: status } = watched();
    status.observer.discovered(report(), [session()]);
    status.observer.discovered(failure('network', 'Connection refused'), []);
    expect(status.view()).toMatchObject({ state: 'down', error: 'Connection refused', open: [{ id: 's1' }] });
    status.observer.discovered(report(), []);
    expect(status.view()).toMatchObject({ state: 'up', error: '', open: [] });
  });

  test('does not call a server down for a state that cannot be stored', () => {
    const { watch: status } = watched();
    status.observer.discovered(failure('store', 'The disk is full'), []);
    expect(status.view()).toMatchObject({ state: 'up', error: 'The disk is full' });
  });

  test('is the age of an open session and the events that are counted of it, and no word of the session', () => {
    const { watch: status } = watched();
    const createdAt = milliseconds(startMs - 90_000);
    const cursor = '0-9;Success=4,Failed=2,other=1,rejected=3;';
    const row = { sink: 'metrics', session: 's1', createdAt, done: false, cursor } as const;
    status.opened('metrics', createBacklog([row]));
    status.opened('logs', createBacklog([{ ...row, sink: 'logs', cursor: '0;Success=1;' }]));
    status.observer.discovered(report(), [session({ createdAt, name: 'canary', initiator: 'canary' })]);
    expect(entryOf(row).cursor.tally).toMatchObject({ Success: 4 });
    expect(status.view().open).toEqual([{ id: 's1', ageMs: 90_000, events: 7 }]);
  });

  test('is the age of a session by the clock of the server, which is not ours', () => {
    const { watch: status } = watched(-600_000);
    status.observer.discovered(report(), [session({ createdAt: milliseconds(startMs - 660_000) })]);
    expect(status.view().open).toEqual([{ id: 's1', ageMs: 60_000, events: 0 }]);
  });

  test('is 0 events for a session that has no row yet', () => {
    const { watch: status } = watched();
    status.observer.discovered(report(), [session({ createdAt: milliseconds(startMs) })]);
    expect(status.view().open).toEqual([{ id: 's1', ageMs: 0, events: 0 }]);
  });
});
