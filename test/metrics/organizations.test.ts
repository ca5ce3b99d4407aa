import { describe, expect, test } from '@jest/globals';
import { eventStatus } from '../../src/model/event.js';
import type { Series, SeriesDelta } from '../../src/pipeline/ports.js';
import { batchDeltas, initialSessionDeltas } from '../../src/metrics/deltas.js';
import { organizationLabels, organizationsIn } from '../../src/metrics/organizations.js';
import { batch, session, taken } from '../support/restore.js';

const counter = (family: string, labels: readonly string[]): Series => ({
  family,
  labels,
  kind: 'counter',
  value: 0n,
});
const find = (deltas: readonly SeriesDelta[], ...wanted: readonly string[]) =>
  deltas.filter(({ family, labels }) => wanted.every(word => family === word || labels.includes(word)));

describe('the label value of an organization', () => {
  test('is its name while there is room, and overflow from then on', () => {
    const labelOf = organizationLabels([], 2);
    expect(['a', 'b', 'c', 'a', 'd', 'b'].map(labelOf)).toEqual(['a', 'b', 'overflow', 'a', 'overflow', 'b']);
  });

  test('stays with those that have series, also above a limit that is lower now', () => {
    const labelOf = organizationLabels(['a', 'b', 'c'], 2);
    expect(['c', 'd', 'a', 'b'].map(labelOf)).toEqual(['c', 'overflow', 'a', 'b']);
  });

  test('is the same for a name and for how it is stored', () => {
    const labelOf = organizationLabels(['a\ufffd'], 1);
    expect(labelOf('a\ud800')).toBe('a\ufffd');
  });
});

test('who has a label value is read from the stored series, for each server', () => {
  const found = organizationsIn([
    counter('vb365_restore_events_total', ['hq', 'a', 'exchange', 'Restore', 'Failed']),
    counter('vb365_restore_sessions_total', ['hq', 'b', 'exchange', 'Failed']),
    counter('vb365_restore_sessions_total', ['branch', 'c', 'exchange', 'Failed']),
    counter('vb365_restore_sessions_total', ['branch', 'overflow', 'exchange', 'Failed']),
    counter('vb365_event_corrections_total', ['lab']),
    counter('vb365_gone_total', ['lab', 'd']),
  ]);
  expect(found).toEqual(
    new Map([
      ['hq', new Set(['a', 'b'])],
      ['branch', new Set(['c'])],
    ]),
  );
});

describe('a batch with more organizations than there is room for', () => {
  const labelOf = organizationLabels(['first'], 1);

  test('counts the others together, once for each series, and says how many', () => {
    const late = session({ organization: 'late', open: false, endedAt: session().createdAt });
    const events = ['first', 'late', 'later'].map(organization =>
      taken({ status: eventStatus('Failed'), item: { name: '', type: '', sizeBytes: 3 } }, session({ organization })),
    );
    const deltas = batchDeltas('hq', batch({ events, results: [late] }), labelOf);
    expect(find(deltas, 'vb365_restore_events_total', 'overflow')).toEqual([expect.objectContaining({ by: 2 })]);
    expect(find(deltas, 'vb365_restore_events_total', 'first')).toEqual([expect.objectContaining({ by: 1 })]);
    expect(find(deltas, 'vb365_restore_sessions_total', 'overflow')).toHaveLength(1);
    expect(find(deltas, 'vb365_restore_last_event_timestamp_seconds')).toHaveLength(2);
    expect(find(deltas, 'vb365_series_overflow_total')).toEqual([
      { family: 'vb365_series_overflow_total', labels: ['hq', 'organization'], kind: 'counter', by: 3 },
    ]);
    expect(deltas.flatMap(({ labels }) => labels)).not.toContain('late');
  });

  test('says nothing while there is room', () => {
    const deltas = batchDeltas('hq', batch({ events: [taken({}, session({ organization: 'first' }))] }), labelOf);
    expect(find(deltas, 'vb365_series_overflow_total')).toEqual([]);
  });

  test('has the failure series of overflow created at 0', () => {
    const deltas = initialSessionDeltas('hq', session({ organization: 'late' }), labelOf);
    expect(find(deltas, 'overflow')).toHaveLength(8);
  });
});
