import { expect, test } from '@jest/globals';
import { eventsAbandoned, restoreEvents } from '../../src/metrics/restore-families.js';
import { Sums } from '../../src/metrics/delta-builder.js';

test('changes to one series become one change', () => {
  const sums = new Sums();
  const labels = { server: 'hq', organization: 'a', workload: 'teams', event_type: 'Save', status: 'Success' };
  sums.count(restoreEvents, labels, 2);
  sums.count(restoreEvents, { ...labels, organization: 'b' }, 1);
  sums.count(restoreEvents, labels, 3);
  expect(sums.deltas().map(delta => [delta.labels[1], delta.kind === 'counter' ? delta.by : undefined])).toEqual([
    ['a', 5],
    ['b', 1],
  ]);
});

test('a counter is no gauge: a type error, and an error all the same', () => {
  const sums = new Sums();
  sums.count(eventsAbandoned, { server: 'hq' }, 1);
  expect(() => {
    // @ts-expect-error -- a counter
    sums.latest(eventsAbandoned, { server: 'hq' }, 1n);
  }).toThrow('Cannot merge counter and latest of "vb365_restore_events_abandoned_total"');
});
