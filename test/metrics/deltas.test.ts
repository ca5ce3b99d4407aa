import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import { eventStatus, eventStatuses, eventType, eventTypes } from '../../src/model/event.js';
import { sessionResult, workload } from '../../src/model/session.js';
import { seconds } from '../../src/model/time.js';
import type { SeriesDelta, TakenEvent } from '../../src/pipeline/ports.js';
import { batchDeltas, initialServerDeltas, initialSessionDeltas, sinkDeltas } from '../../src/metrics/deltas.js';
import { at, batch, event, noFindings, session, taken } from '../support/restore.js';

const line = (delta: SeriesDelta): string => `${delta.family}{${delta.labels.join(',')}}`;
const find = (deltas: readonly SeriesDelta[], wanted: string): SeriesDelta | undefined =>
  deltas.find(delta => line(delta) === wanted);

/** The value of a counter delta, the observations of a histogram one, the time of a latest one. */
const value = (deltas: readonly SeriesDelta[], wanted: string): unknown => {
  const delta = find(deltas, wanted);
  if (delta?.kind === 'counter') return delta.by;
  return delta?.kind === 'histogram' ? delta.counts.reduce((a, b) => a + b, 0) : delta?.at;
};

const counted = (events: readonly TakenEvent[]): readonly SeriesDelta[] => batchDeltas('hq', batch({ events }));

/** The sum over all series of a counter. */
const total = (deltas: readonly SeriesDelta[], family: string): bigint =>
  deltas
    .filter(delta => delta.family === family)
    .reduce((sum, delta) => sum + (delta.kind === 'counter' ? BigInt(delta.by) : 0n), 0n);

describe('what the metrics sink counts', () => {
  test('is nothing for an empty batch', () => {
    expect(batchDeltas('hq', batch())).toEqual([]);
  });

  test('is all that the event of the v3 example says, exactly', () => {
    const counts = [0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0];
    const seen = { traceId: '61954db672784d2686f7888bda5a4ec4', at: at('2017-05-30T10:57:28.0869607Z') };
    const exemplar = { ...seen, spanId: 'ec1e1be0b5655434', value: 1 };
    expect(counted([taken()])).toEqual([
      {
        family: 'vb365_restore_events_total',
        labels: ['hq', 'contoso.onmicrosoft.com', 'sharepoint', 'Save', 'Success'],
        kind: 'counter',
        by: 1,
        exemplar,
      },
      {
        family: 'vb365_restore_last_event_timestamp_seconds',
        labels: ['hq', 'contoso.onmicrosoft.com', 'Success'],
        kind: 'latest',
        at: at('2017-05-30T10:57:28.0869607Z'),
      },
      {
        family: 'vb365_restore_item_duration_seconds',
        labels: ['hq', 'sharepoint', 'Save'],
        kind: 'histogram',
        counts,
        sumTicks: 446_928n,
        exemplars: [undefined, undefined, { ...exemplar, value: 0.0446928 }],
      },
      {
        family: 'vb365_restore_owner_events_total',
        labels: ['hq', 'contoso.onmicrosoft.com', 'unknown'],
        kind: 'counter',
        by: 1,
      },
    ]);
  });

  test.each([
    ['Save', 'Success', 1],
    ['View', 'Warning', 1],
    ['Restore', 'Failed', 1],
    ['Unheard', 'Success', 1],
    ['Save', 'Cancelled', undefined],
    ['Save', 'Skipped', undefined],
    ['Save', 'Paused', undefined],
    ['None', 'Success', undefined],
  ])('the duration of %s %s is observed: %s', (type, status, wanted) => {
    const deltas = counted([taken({ type: eventType(type), status: eventStatus(status) })]);
    const label = type === 'Unheard' ? 'other' : type;
    expect(value(deltas, `vb365_restore_item_duration_seconds{hq,sharepoint,${label}}`)).toBe(wanted);
  });

  test.each([
    ['a bound itself falls below it', seconds(0.1), 2],
    ['a tick more, above it', seconds(0.1) + 100n, 3],
    ['zero is in the first bucket', 0n, 0],
    ['the longest is in +Inf', seconds(14_401), 13],
  ])('buckets: %s', (_, duration, bucket) => {
    const delta = find(counted([taken({ duration })]), 'vb365_restore_item_duration_seconds{hq,sharepoint,Save}');
    expect(delta).toMatchObject({ sumTicks: duration / 100n });
    expect(delta?.kind === 'histogram' ? delta.counts.indexOf(1) : undefined).toBe(bucket);
    const exemplars = delta?.kind === 'histogram' ? delta.exemplars : undefined;
    expect(exemplars?.findIndex(exemplar => exemplar !== undefined)).toBe(bucket);
  });

  test('an absurd duration is observed, and cannot fill the sum', () => {
    const deltas = counted([taken({ duration: seconds(8000 * 366 * 86_400) })]);
    expect(find(deltas, 'vb365_restore_item_duration_seconds{hq,sharepoint,Save}')).toMatchObject({
      sumTicks: 366n * 86_400n * 10_000_000n,
    });
  });

  test.each([
    ['Success', 10, 10],
    ['Warning', 10, 10],
    ['Failed', 10, undefined],
    ['Success', undefined, undefined],
    ['Success', 1.5, undefined],
    ['Success', -1, undefined],
    ['Success', Infinity, undefined],
  ])('of %s, %s bytes count as %s', (status, sizeBytes, wanted) => {
    const deltas = counted([taken({ status: eventStatus(status), item: { name: 'a', type: '', sizeBytes } })]);
    expect(value(deltas, 'vb365_restore_item_bytes_total{hq,contoso.onmicrosoft.com,sharepoint,Save}')).toBe(wanted);
  });

  test.each([
    ['that lies ahead of the server is now', '9999-12-31T23:59:59Z', at('2017-05-30T10:57:30Z')],
    ['before 1970 is none', '0001-01-01T00:00:00Z', undefined],
  ])('the last event: a time %s', (_, time, wanted) => {
    const deltas = counted([taken({ endedAt: at(time) })]);
    expect(value(deltas, 'vb365_restore_last_event_timestamp_seconds{hq,contoso.onmicrosoft.com,Success}')).toBe(
      wanted,
    );
  });

  test('the last event is the newest, whatever the order', () => {
    const times = ['2017-05-30T10:00:02Z', '2017-05-30T10:00:03Z', '2017-05-30T10:00:01Z'];
    const events = times.map((time, i) => taken({ endedAt: at(time), type: eventType(i === 2 ? 'View' : 'Save') }));
    expect(
      value(counted(events), 'vb365_restore_last_event_timestamp_seconds{hq,contoso.onmicrosoft.com,Success}'),
    ).toBe(at('2017-05-30T10:00:03Z'));
  });

  test('unknown words are counted by field, once for each thing that carries them', () => {
    const odd = { type: eventType('Clone'), status: eventStatus('Paused') };
    const of = session({ workload: workload('Vez'), result: sessionResult('Lost') });
    const deltas = batchDeltas('hq', batch({ events: [taken(odd, of), taken(odd, of)], results: [of] }));
    const unknown = deltas.filter(({ family }) => family === 'vb365_unknown_values_total');
    expect(unknown.map(delta => [line(delta), value(deltas, line(delta))])).toEqual([
      ['vb365_unknown_values_total{hq,event_type}', 2],
      ['vb365_unknown_values_total{hq,status}', 2],
      ['vb365_unknown_values_total{hq,workload}', 3],
      ['vb365_unknown_values_total{hq,result}', 1],
    ]);
  });

  test('failed sessions are counted by their failed item', () => {
    const failures = (['None', 'Restore', 'None'] as const).map(item => ({ session: session(), item }));
    const deltas = batchDeltas('hq', batch({ failures }));
    const of = 'vb365_restore_sessions_failed_total{hq,contoso.onmicrosoft.com,sharepoint';
    expect([value(deltas, `${of},None}`), value(deltas, `${of},Restore}`), deltas.length]).toEqual([2, 1, 2]);
  });

  test('anomalies of events, of sessions and of pages add up', () => {
    const deltas = batchDeltas(
      'hq',
      batch({
        events: [taken({ anomalies: ['no_offset', 'negative_duration'] })],
        results: [session({ endedAt: undefined, anomalies: ['negative_duration'] })],
        findings: { ...noFindings, anomalies: { no_offset: 2, order_gap: 1, limit_ignored: 0 } },
      }),
    );
    expect(value(deltas, 'vb365_api_anomalies_total{hq,no_offset}')).toBe(3);
    expect(value(deltas, 'vb365_api_anomalies_total{hq,negative_duration}')).toBe(2);
    expect(value(deltas, 'vb365_api_anomalies_total{hq,order_gap}')).toBe(1);
    expect(value(deltas, 'vb365_api_anomalies_total{hq,limit_ignored}')).toBeUndefined();
  });

  test('results are counted, and timed when their end is known', () => {
    const results = [
      session({ endedAt: at('2017-05-30T10:54:45.5Z') }),
      session({ result: sessionResult('Failed') }),
      session({ endedAt: at('2017-05-30T10:53:44Z') }),
    ];
    const deltas = batchDeltas('hq', batch({ results }));
    expect(value(deltas, 'vb365_restore_sessions_total{hq,contoso.onmicrosoft.com,sharepoint,Success}')).toBe(2);
    expect(value(deltas, 'vb365_restore_sessions_total{hq,contoso.onmicrosoft.com,sharepoint,Failed}')).toBe(1);
    expect(find(deltas, 'vb365_restore_session_duration_seconds{hq,sharepoint}')).toMatchObject({
      counts: [1, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0],
      sumTicks: 615_000_000n,
    });
  });

  test('findings are counted', () => {
    const deltas = batchDeltas('hq', batch({ findings: { ...noFindings, abandoned: 3, corrections: 2 } }));
    expect(deltas.map(delta => [line(delta), value(deltas, line(delta))])).toEqual([
      ['vb365_restore_events_abandoned_total{hq}', 3],
      ['vb365_event_corrections_total{hq}', 2],
    ]);
  });

  test('an organization whose name is no Unicode has one spelling, and an empty name is a name', () => {
    const deltas = counted([taken({}, { organization: 'a\ud800' }), taken({}, { organization: '' })]);
    expect(value(deltas, 'vb365_restore_events_total{hq,a\ufffd,sharepoint,Save,Success}')).toBe(1);
    expect(value(deltas, 'vb365_restore_events_total{hq,,sharepoint,Save,Success}')).toBe(1);
  });

  test('however the events are cut into batches, the same adds up, each series once per batch', () => {
    const anEvent = fc.record({
      organization: fc.constantFrom('a', 'b', 'Save Success exchange a'),
      type: fc.constantFrom(...eventTypes, 'Clone'),
      status: fc.constantFrom(...eventStatuses, 'Paused'),
      duration: fc.bigInt({ min: 0n, max: 10n ** 14n }),
      sizeBytes: fc.nat(),
    });
    fc.assert(
      fc.property(fc.array(anEvent, { maxLength: 60 }), fc.nat(60), (all, cut) => {
        const events = all.map(({ organization, type, status, duration, sizeBytes }) =>
          taken(
            { type: eventType(type), status: eventStatus(status), duration, item: { name: '', type: '', sizeBytes } },
            { organization },
          ),
        );
        const whole = counted(events);
        const parts = [...counted(events.slice(0, cut)), ...counted(events.slice(cut))];
        expect(new Set(whole.map(delta => JSON.stringify([delta.family, delta.labels]))).size).toBe(whole.length);
        expect(total(whole, 'vb365_restore_events_total')).toBe(BigInt(all.length));
        for (const family of ['vb365_restore_events_total', 'vb365_restore_item_bytes_total'])
          expect(total(parts, family)).toBe(total(whole, family));
      }),
    );
  });
});

describe('initial series', () => {
  test('the failures of an organization, when its first session is seen', () => {
    const deltas = initialSessionDeltas('hq', session());
    const of = 'hq,contoso.onmicrosoft.com,sharepoint';
    expect(deltas.map(line)).toEqual([
      ...['View', 'Save', 'Export', 'Send', 'Restore'].map(type => `vb365_restore_events_total{${of},${type},Failed}`),
      'vb365_restore_owner_events_total{hq,contoso.onmicrosoft.com,other}',
      `vb365_restore_sessions_failed_total{${of},None}`,
      `vb365_restore_sessions_total{${of},Failed}`,
    ]);
    expect(deltas.every(delta => delta.kind === 'counter' && delta.by === 0)).toBe(true);
  });

  test('all closed ones of a server, from the start', () => {
    const deltas = initialServerDeltas('hq');
    expect(new Set(deltas.map(line)).size).toBe(deltas.length);
    expect(new Set(deltas.map(({ family }) => family))).toEqual(
      new Set([
        'vb365_event_corrections_total',
        'vb365_events_rejected_total',
        'vb365_reconcile_missed_sessions_total',
        'vb365_installation_changes_total',
        'vb365_logins_refused_total',
        'vb365_restore_events_abandoned_total',
        'vb365_series_overflow_total',
        'vb365_sink_delivered_total',
        'vb365_unknown_values_total',
      ]),
    );
    expect(deltas.map(line)).toContain('vb365_events_rejected_total{hq,logs,partial_success}');
    for (const delta of deltas) expect(value(deltas, line(delta))).toBe(0);
  });

  test('only of the sinks that there are', () => {
    expect(initialServerDeltas('hq', ['metrics']).filter(({ labels }) => labels.includes('logs'))).toEqual([]);
  });
});

describe('what every sink counts', () => {
  const delivered = { outcome: 'delivered', dropped: 0, deadLetters: [] } as const;

  test('is nothing for an empty batch', () => {
    expect(sinkDeltas('hq', 'logs', batch(), delivered)).toEqual([]);
  });

  test('is what was delivered, refused and rejected', () => {
    const findings = { ...noFindings, rejected: { no_id: 2, bad_time: 0 } };
    const of = batch({ events: [taken(), taken(), taken()], results: [session()], findings });
    const deltas = sinkDeltas('hq', 'logs', of, {
      outcome: 'retried',
      dropped: 1,
      deadLetters: [{ reason: 'refused' }],
    });
    expect(deltas.map(delta => [line(delta), value(deltas, line(delta))])).toEqual([
      ['vb365_sink_delivered_total{hq,logs,retried}', 2],
      ['vb365_sink_delivered_total{hq,logs,rejected}', 2],
      ['vb365_events_rejected_total{hq,logs,partial_success}', 1],
      ['vb365_events_rejected_total{hq,logs,refused}', 1],
      ['vb365_events_rejected_total{hq,logs,no_id}', 2],
      ['vb365_event_lag_seconds{hq,logs}', 3],
    ]);
  });

  test.each([
    ['is the time since the end', '2017-05-30T10:57:25Z', 2, 50_000_000n],
    ['is never negative', '2017-05-30T10:57:31Z', 0, 0n],
    ['beyond a day counts as a day in the sum', '2016-05-30T10:57:25Z', 12, 864_000_000_000n],
  ])('the lag %s', (_, endedAt, bucket, sumTicks) => {
    const now = at('2017-05-30T10:57:30Z');
    const of = batch({ events: [{ session: session(), event: event({ endedAt: at(endedAt) }) }], at: now });
    const delta = find(sinkDeltas('hq', 'metrics', of, delivered), 'vb365_event_lag_seconds{hq,metrics}');
    expect(delta).toMatchObject({ sumTicks });
    expect(delta?.kind === 'histogram' ? delta.counts.indexOf(1) : undefined).toBe(bucket);
    const exemplars = delta?.kind === 'histogram' ? delta.exemplars : undefined;
    expect(exemplars?.findIndex(exemplar => exemplar !== undefined)).toBe(bucket);
  });
});
