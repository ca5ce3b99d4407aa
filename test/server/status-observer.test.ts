import { describe, expect, test } from '@jest/globals';
import { ExporterError } from '../../src/kernel/errors.js';
import { milliseconds } from '../../src/model/time.js';
import { createBacklog, entryOf } from '../../src/pipeline/backlog.js';
import type { DiscoveryReport } from '../../src/discovery/scheduler.js';
import { statusObserver } from '../../src/server/status-observer.js';
import { RecentFailures } from '../../src/server/recent-failures.js';
import { fakeClock } from '../support/fake-clock.js';
import { deliveryReport, pollReport, session } from '../support/server-run.js';
import { serverConfig } from '../support/program-config.js';

const startMs = Date.parse('2026-11-25T09:00:00Z');
const failure = (reason: 'network' | 'store', message: string): DiscoveryReport =>
  pollReport({ error: new ExporterError(reason, message) });

/** @param aheadMs how far the clock of the server is ahead of the exporter's. */
function statusOf(aheadMs = 0) {
  const clock = fakeClock(startMs);
  const config = serverConfig('https://vb365.example.com:4443/ignored');
  const server = { now: () => milliseconds(clock.now() + aheadMs) };
  return {
    clock,
    status: statusObserver(config, ['metrics', 'logs'], { clock, source: server, failures: new RecentFailures(5) }),
  };
}

describe('the status of a server', () => {
  test('is only its address before the first poll', () => {
    const { status } = statusOf();
    expect(status.polled()).toBe(false);
    expect(status.view()).toEqual({
      name: 'hq',
      origin: 'https://vb365.example.com:4443',
      state: 'unknown',
      error: '',
      apiVersion: '',
      version: '',
      lastPollAgoMs: undefined,
      open: undefined,
      sinks: [
        { name: 'metrics', backlog: 0 },
        { name: 'logs', backlog: 0 },
      ],
    });
  });

  test('has its versions, its backlogs and the time since the last complete poll', async () => {
    const { clock, status } = statusOf();
    status.identified({ apiVersion: 'v8', version: '8.1.0.1', installationId: 'i' });
    status.discovered(pollReport(), []);
    await clock.advance(7_000);
    status.discovered(pollReport({ result: 'partial' }), []);
    status.delivered('logs', deliveryReport({ due: 3 }), 1);
    expect(status.polled()).toBe(true);
    expect(status.view()).toMatchObject({ state: 'up', apiVersion: 'v8', version: '8.1.0.1', lastPollAgoMs: 7_000 });
    expect(status.view()).toMatchObject({ open: [], sinks: [{ backlog: 0 }, { backlog: 3 }] });
  });

  test('has the error while it is down, and the sessions that were open in the last poll', () => {
    const { status } = statusOf();
    status.discovered(pollReport(), [session()]);
    status.discovered(failure('network', 'Connection refused'), []);
    expect(status.view()).toMatchObject({ state: 'down', error: 'Connection refused', open: [{ id: 's1' }] });
    status.discovered(pollReport(), []);
    expect(status.view()).toMatchObject({ state: 'up', error: '', open: [] });
  });

  test('is up while only the store fails', () => {
    const { status } = statusOf();
    status.discovered(failure('store', 'The disk is full'), []);
    expect(status.view()).toMatchObject({ state: 'up', error: 'The disk is full' });
  });

  test('has the age and the counted events of an open session, and no personal data', () => {
    const { status } = statusOf();
    const createdAt = milliseconds(startMs - 90_000);
    const cursor = '0-9;Success=4,Failed=2,other=1,set_aside=3;';
    const row = { sink: 'metrics', session: 's1', createdAt, done: false, cursor } as const;
    status.opened('metrics', createBacklog([row]));
    status.opened('logs', createBacklog([{ ...row, sink: 'logs', cursor: '0;Success=1;' }]));
    status.discovered(pollReport(), [session({ createdAt, name: 'canary', initiator: 'canary' })]);
    expect(entryOf(row).cursor.tally).toMatchObject({ Success: 4 });
    expect(status.view().open).toEqual([{ id: 's1', ageMs: 90_000, events: 7 }]);
  });

  test('has the age of a session by the clock of the server', () => {
    const { status } = statusOf(-600_000);
    status.discovered(pollReport(), [session({ createdAt: milliseconds(startMs - 660_000) })]);
    expect(status.view().open).toEqual([{ id: 's1', ageMs: 60_000, events: 0 }]);
  });

  test('has 0 events for a session without a cursor', () => {
    const { status } = statusOf();
    status.discovered(pollReport(), [session({ createdAt: milliseconds(startMs) })]);
    expect(status.view().open).toEqual([{ id: 's1', ageMs: 0, events: 0 }]);
  });
});
