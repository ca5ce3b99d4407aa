import { expect, test } from '@jest/globals';
import { eventStatus, eventType } from '../../src/model/event.js';
import { sessionResult } from '../../src/model/session.js';
import { bench, put, stop } from '../support/discovery-rig.js';
import { memoryStore } from '../support/memory-store.js';
import { event, fakeServer, recordingSink, second, session } from '../support/server-run.js';

const failed = eventStatus('Failed');
const happens = { startedAt: 20n * second, endedAt: 20n * second };

/** Six events of a session that fails, read by two sinks; the exporter restarts before the session stops. */
async function resultsOf(failures: Readonly<Record<number, Parameters<typeof event>[1]>>) {
  const server = fakeServer();
  const store = memoryStore();
  const sinks = [recordingSink('metrics'), recordingSink('logs')] as const;
  server.at = 10n * second;
  await bench({ server, store, sinks }).step();
  server.at = 30n * second;
  const result = sessionResult('Failed');
  server.held.set('s1', session({ createdAt: 15n * second, result, details: '6 items processed' }));
  put(server, 's1', ...[0, 1, 2, 3, 4, 5].map(order => event(order, { ...happens, ...failures[order] })));
  await bench({ server, store, sinks }).step();
  stop(server, 's1', 40n * second);
  server.at = 45n * second;
  await bench({ server, store, sinks }).step();
  return sinks.map(({ batches }) => batches.flatMap(({ results }) => results.map(({ failure }) => failure)));
}

test('a failed session has what its first failed event says, also after a restart', async () => {
  const failures = {
    4: { status: failed, reason: 'Mailbox is full' },
    5: { status: failed, reason: 'Item is gone' },
  };
  expect(await resultsOf(failures)).toEqual([[undefined], ['Mailbox is full']]);
});

test('a line about the session counts, with its message if it has no reason', async () => {
  const line = { status: failed, type: eventType('None'), message: 'Could not open the backup' };
  expect(await resultsOf({ 0: line })).toEqual([[undefined], ['Could not open the backup']]);
});

test('there is none if no event failed', async () => {
  expect(await resultsOf({ 3: { status: eventStatus('Warning'), reason: 'Slow' } })).toEqual([
    [undefined],
    [undefined],
  ]);
});
