import { describe, expect, test } from '@jest/globals';
import { eventStatus, eventType } from '../../src/model/event.js';
import { sessionResult } from '../../src/model/session.js';
import { itemSpan, sessionSpan } from '../../src/otlp/restore-span.js';
import { origin } from '../support/logs.js';
import { at, session, taken } from '../support/restore.js';

const ended = (of: Parameters<typeof session>[0] = {}) =>
  sessionSpan(session({ open: false, endedAt: at('2017-05-30T10:58:00Z'), ...of }), origin, clock);
const clock = { now: at('2026-01-01T00:00:00Z'), maxAhead: 60_000_000_000n };
const traceId = '61954db672784d2686f7888bda5a4ec4';
const root = { traceId, spanId: 'e762c53da82203e2', traceFlags: 1 };

describe('the span of an event', () => {
  test('is a child of its session, from start to end, to the tick', () => {
    const span = itemSpan(taken(), origin, clock);
    expect(span).toMatchObject({
      name: 'save item',
      kind: 0,
      startTime: [1_496_141_848, 42_267_900],
      endTime: [1_496_141_848, 86_960_700],
      duration: [0, 44_692_800],
      status: { code: 1 },
      parentSpanContext: root,
      attributes: {
        'veeam.restore.event.type': 'Save',
        'veeam.restore.event.order': 1,
        'veeam.restore.item.name': 'Image.jpg',
        'veeam.restore.session.initiator': 'CONTOSO\\alice',
        'veeam.organization.name': 'contoso.onmicrosoft.com',
      },
    });
    expect(span?.spanContext()).toEqual({ traceId, spanId: 'ec1e1be0b5655434', traceFlags: 1 });
    expect(
      Object.keys(span?.attributes ?? {}).filter(name => !/^(veeam\.(restore|organization)|error)\./.test(name)),
    ).toEqual([]);
  });

  test('is the same span however often it is made', () => {
    expect(itemSpan(taken(), origin, clock)?.spanContext()).toEqual(itemSpan(taken(), origin, clock)?.spanContext());
  });

  test.each([
    ['None', 'session event'],
    ['View', 'view item'],
    ['Export', 'export item'],
    ['Send', 'send item'],
    ['Restore', 'restore item'],
    ['Clone', 'other item'],
  ])('of type %s is called %s', (type, name) => {
    expect(itemSpan(taken({ type: eventType(type) }), origin, clock)?.name).toBe(name);
  });

  test.each([
    ['Success', { code: 1 }],
    ['Warning', { code: 0 }],
    ['Cancelled', { code: 0 }],
    ['Skipped', { code: 0 }],
    ['Paused', { code: 0 }],
    ['Failed', { code: 2, message: 'Access denied' }],
  ])('with status %s has the status %j', (status, wanted) => {
    expect(itemSpan(taken({ status: eventStatus(status), reason: 'Access denied' }), origin, clock)?.status).toEqual(
      wanted,
    );
  });

  test.each([
    ['no end', { endedAt: undefined }],
    ['an end before its start', { endedAt: at('2017-05-30T13:57:27+03:00') }],
    ['an end in the year 9999', { endedAt: at('9999-12-31T23:59:59Z') }],
  ])('with %s has no length', (_, over) => {
    const span = itemSpan(taken(over), origin, clock);
    expect([span?.endTime, span?.duration]).toEqual([span?.startTime, [0, 0]]);
  });

  test('of a session whose id is none does not exist', () => {
    expect(itemSpan(taken({}, { id: '00000000-0000-0000-0000-000000000000' }), origin, clock)).toBeUndefined();
    expect(sessionSpan(session({ id: 'x' }), origin, clock)).toBeUndefined();
  });
});

describe('the root span', () => {
  test('reaches from the creation to the end, and has no parent', () => {
    const span = ended();
    expect(span).toMatchObject({
      name: 'restore session',
      startTime: [1_496_141_624, 0],
      endTime: [1_496_141_880, 0],
      status: { code: 1 },
      attributes: { 'veeam.restore.session.result': 'Success', 'veeam.restore.session.duration': 256 },
    });
    expect(span?.spanContext()).toEqual(root);
    expect(span).not.toHaveProperty('parentSpanContext');
  });

  test('reports a failure', () => {
    expect(ended({ result: sessionResult('Failed'), failure: 'Gone' })?.status).toEqual({ code: 2, message: 'Gone' });
    expect(ended({ result: sessionResult('Warning') })?.status).toEqual({ code: 0 });
  });
});

test.each([
  ['ahead of the clock', '2026-01-01T00:20:00Z', '2026-01-01T00:20:02Z', [1_767_225_598, 0]],
  ['before 1970', '1965-05-05T00:00:00Z', '1965-05-05T00:00:02Z', [1_767_225_598, 0]],
  ['after 2262', '2300-01-01T00:00:00Z', '2300-01-01T00:00:02Z', [1_767_225_598, 0]],
])('a span %s ends when it is sent, keeps its length and bears its own time', (_, start, end, startTime) => {
  const own = { 'veeam.event.time': end.replace('Z', '.0000000Z') };
  const span = { startTime, endTime: [1_767_225_600, 0], duration: [2, 0], attributes: own };
  expect(itemSpan(taken({ startedAt: at(start), endedAt: at(end) }), origin, clock)).toMatchObject(span);
  expect(ended({ createdAt: at(start), endedAt: at(end) })).toMatchObject(span);
});
