import { expect, test } from '@jest/globals';
import { batchDeltas } from '../../src/metrics/deltas.js';
import { eventType } from '../../src/model/event.js';
import type { OwnerRelation } from '../../src/model/owner.js';
import { batch, taken } from '../support/restore.js';

const owner = { kind: 'user', id: 'u', name: 'Canary', email: '', accounts: [], derived: false } as const;
const of = (relation: OwnerRelation, over: Parameters<typeof taken>[0] = {}) => ({
  ...taken(over),
  ownership: { owner, relation },
});

test('each event but a line of the session counts once, by whether the initiator owns the data', () => {
  const events = [of('other'), of('other', { type: eventType('View') }), of('self'), taken()];
  const deltas = batchDeltas('hq', batch({ events: [...events, of('other', { type: eventType('None') })] }));
  const counted = deltas.filter(({ family }) => family === 'vb365_restore_owner_events_total');
  expect(counted.map(delta => [delta.labels[2], delta.kind === 'counter' && delta.by])).toEqual([
    ['self', 1],
    ['other', 2],
    ['unknown', 1],
  ]);
  expect(JSON.stringify(deltas, (_, value: unknown) => (typeof value === 'bigint' ? 0 : value))).not.toContain(
    'Canary',
  );
});
