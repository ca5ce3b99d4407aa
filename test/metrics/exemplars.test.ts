import { describe, expect, test } from '@jest/globals';
import type { SeriesDelta, TakenEvent } from '../../src/pipeline/ports.js';
import { spanIdOf, traceIdOf } from '../../src/model/trace-ids.js';
import { batchDeltas } from '../../src/metrics/deltas.js';
import { at, batch, event, session, taken } from '../support/restore.js';

const find = (deltas: readonly SeriesDelta[], wanted: string): SeriesDelta | undefined =>
  deltas.find(({ family, labels }) => `${family}{${labels.join(',')}}` === wanted);
const batchOf = (events: readonly TakenEvent[]): readonly SeriesDelta[] => batchDeltas('hq', batch({ events }));

describe('Every signal leads to the others: exemplars', () => {
  test('a session that has stopped leads to the root of its trace, by count and by duration', () => {
    const id = '61954db6-7278-4d26-86f7-888bda5a4ec4';
    const [createdAt, endedAt] = [at('2017-05-30T10:53:44Z'), at('2017-05-30T10:54:45.5Z')];
    const stopped = [session({ id: 'no guid', endedAt }), session({ id, createdAt, endedAt })];
    const deltas = batchDeltas('hq', batch({ results: stopped }));
    const ids = { traceId: traceIdOf(id), spanId: spanIdOf(id) };
    expect(find(deltas, 'vb365_restore_sessions_total{hq,contoso.onmicrosoft.com,sharepoint,Success}')).toMatchObject({
      exemplar: { ...ids, value: 1, at: endedAt },
    });
    const durations = find(deltas, 'vb365_restore_session_duration_seconds{hq,sharepoint}');
    expect(durations?.kind === 'histogram' && durations.exemplars?.filter(one => one !== undefined)).toEqual([
      { ...ids, value: 61.5, at: endedAt },
    ]);
    expect(durations?.kind === 'histogram' && durations.exemplars?.[3]?.value).toBe(61.5);
  });

  test('bytes lead to the newest event, when it has a size', () => {
    const item = { name: 'a', type: '', sizeBytes: 2_048 };
    const deltas = batchOf([taken({ item })]);
    const bytes = 'vb365_restore_item_bytes_total{hq,contoso.onmicrosoft.com,sharepoint,Save}';
    expect(find(deltas, bytes)).toMatchObject({ exemplar: { spanId: spanIdOf(event().id), value: 2_048 } });
    const later = taken({ endedAt: at('2017-05-30T10:57:29Z') });
    expect(find(batchOf([taken({ item }), later]), bytes)).not.toHaveProperty('exemplar');
  });
});
