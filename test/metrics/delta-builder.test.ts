import { expect, test } from '@jest/globals';
import { eventsAbandoned, restoreEvents } from '../../src/metrics/restore-families.js';
import { DeltaBuilder } from '../../src/metrics/delta-builder.js';

test('changes to one series become one change', () => {
  const builder = new DeltaBuilder();
  const labels = { server: 'hq', organization: 'a', workload: 'teams', event_type: 'Save', status: 'Success' };
  builder.count(restoreEvents, labels, 2);
  builder.count(restoreEvents, { ...labels, organization: 'b' }, 1);
  builder.count(restoreEvents, labels, 3);
  expect(builder.deltas().map(delta => [delta.labels[1], delta.kind === 'counter' ? delta.by : undefined])).toEqual([
    ['a', 5],
    ['b', 1],
  ]);
});

test('a counter is no gauge: a type error, and an error all the same', () => {
  const builder = new DeltaBuilder();
  builder.count(eventsAbandoned, { server: 'hq' }, 1);
  expect(() => {
    // @ts-expect-error -- a counter
    builder.latest(eventsAbandoned, { server: 'hq' }, 1n);
  }).toThrow('Could not add to series "vb365_restore_events_abandoned_total"');
});
