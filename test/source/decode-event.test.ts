import { describe, expect, test } from '@jest/globals';
import * as fc from 'fast-check';
import type { RestoreEvent } from '../../src/model/event.js';
import type { EventRow } from '../../src/pipeline/ports.js';
import { decodeEvent } from '../../src/source/decode-event.js';
import { seconds } from '../../src/model/time.js';
import { decodePage } from '../../src/source/page.js';
import { fixture } from '../support/fixture.js';

const id = '755d207e-ebd6-49da-9943-3b9e5eb31dee';
const second = seconds(1);
const day = seconds(86_400);
/** 2022-02-03T00:00:00Z */
const readAt = 1_643_846_400_000_000_000n;
const wire = (over: Readonly<Record<string, unknown>> = {}): Record<string, unknown> => ({
  id,
  type: 'View',
  status: 'Success',
  startTime: '2022-02-02T15:00:00Z',
  endTime: '2022-02-02T15:00:01.5Z',
  message: '',
  order: 4,
  ...over,
});

function eventOf(row: EventRow): RestoreEvent {
  if (!('event' in row)) throw new Error(`rejected as ${row.rejected}`);
  return row.event;
}

const decoded = (over?: Readonly<Record<string, unknown>>): RestoreEvent => eventOf(decodeEvent(wire(over), 0, readAt));

const page = (path: string): readonly RestoreEvent[] =>
  decodePage(fixture(path), { operation: 'events', offset: 0, limit: 30 }).rows.map((row, at) =>
    eventOf(decodeEvent(row, at, readAt)),
  );

describe('the events of the v3 reference', () => {
  test('are the two of the page', () => {
    expect(
      page('v3/source-events.json').map(event => [event.id, event.order, event.type.label, event.duration]),
    ).toEqual([
      ['f346f90e-a02f-4747-b30e-ef34f980c670', 0, 'None', 0n],
      ['755d207e-ebd6-49da-9943-3b9e5eb31dee', 1, 'Save', 44_692_800n],
    ]);
  });

  test('are understood to the tick and to the last backslash', () => {
    expect(page('v3/source-events.json')[1]).toEqual({
      id: '755d207e-ebd6-49da-9943-3b9e5eb31dee',
      order: 1,
      type: { label: 'Save', raw: 'Save' },
      status: { label: 'Success', raw: 'Success' },
      startedAt: 1_496_141_848_042_267_900n,
      timeless: false,
      endedAt: 1_496_141_848_086_960_700n,
      duration: 44_692_800n,
      title: 'Item is successfully restored.',
      message: expect.stringMatching(/^Item Image\.jpg was saved successfully \(type: Item; /),
      item: { name: 'Image.jpg', type: 'Item', sizeBytes: undefined },
      source: '/personal/orgUser/Documents/Image.jpg',
      target:
        'C:\\Users\\user\\AppData\\Local\\Temp\\REST_SHAREPOINT_EXPORT_224b14b4-95eb-4d6c-b959-6ffc688b7576\\7077ffb8-4f64-40d7-8fcc-32f13999b727',
      reason: '',
      anomalies: [],
    });
  });
});

describe('the events of a v6 page', () => {
  test('have their items from the structured fields, and the reason from the message', () => {
    const fields = page('v6/source-events.json').map(({ item, reason, endedAt, duration }) => [
      item.name,
      item.sizeBytes,
      reason,
      endedAt === undefined,
      duration,
    ]);
    expect(fields).toEqual([
      ['', 0, '', false, 0n],
      ['Welcome to MyAnalytics', 14_284, '', false, 0n],
      [
        "You've joined the Real Estate group",
        949_716,
        'Object was not found. The object could be deleted or moved to another folder.',
        false,
        10_000_000_000n,
      ],
      ['commonName', 0, '', false, 546_349_368_000n],
      ['Budget', 1000, '', true, 0n],
    ]);
  });
});

describe('an event', () => {
  test.each([
    'Item a was saved with error: Denied (type: alice@example.com; source: x; target: y) (type: Item; source: c; target: d)',
    'Item b was sent successfully (type: alice@example.com; source: x; target: y) was saved successfully (type: Item; source: c; target: d)',
  ])('Nothing sensitive: a type is not taken from what only looks like one: %s', message => {
    expect(decoded({ message }).item.type).toBe('');
    expect(decoded({ message, itemType: 'Item' }).item.type).toBe('Item');
  });

  test('prefers a structured field to the message', () => {
    const message = 'Item a was sent successfully (type: b; source: c; target: d)';
    expect(decoded({ message, itemName: 'A', target: 'D' })).toMatchObject({
      item: { name: 'A', type: 'b' },
      source: 'c',
      target: 'D',
    });
  });

  test.each([undefined, null, ''])('does without what is %j', nothing => {
    const fields = [
      'type',
      'title',
      'message',
      'itemName',
      'itemType',
      'itemSizeBytes',
      'source',
      'target',
      'duration',
    ];
    expect(decoded(Object.fromEntries(fields.map(field => [field, nothing])))).toMatchObject({
      type: { label: 'other', raw: '' },
      title: '',
      message: '',
      item: { name: '', type: '', sizeBytes: undefined },
      source: '',
      target: '',
      duration: 1_500_000_000n,
    });
  });

  test('keeps values that a newer server has added', () => {
    expect(decoded({ type: 'Copy', status: 'Paused' })).toMatchObject({
      type: { label: 'other', raw: 'Copy' },
      status: { label: 'other', raw: 'Paused' },
    });
  });

  test('is named in lower case', () => {
    expect(decoded({ id: id.toUpperCase() }).id).toBe(id);
  });

  test.each([
    ['Failed', 'Failed to restore item a', 'No luck', 'Failed to restore item a'],
    ['failed', '', 'No luck', 'No luck'],
    ['Failed', 'Item a was sent with error: Full. (type: b; source: c; target: d)', '', 'Full.'],
    ['Warning', 'Something odd', '', ''],
    ['Success', 'All is well', '', ''],
  ])('that is %s with the message %j and the title %j went wrong because %j', (status, message, title, reason) => {
    expect(decoded({ status, message, title }).reason).toBe(reason);
  });

  test.each([0, 1, 2_147_483_647])('keeps the order %d', order => {
    expect(decodeEvent(wire({ order }), 7, readAt)).toMatchObject({ order, event: { order } });
  });

  test.each([undefined, null, '', '3', -1, 1.5, 1e300, {}])('takes its position as order when that reads %j', order => {
    expect(decodeEvent(wire({ order }), 7, readAt)).toMatchObject({ order: 7, event: { order: 7 } });
  });

  test.each([-1, 0.5, '12', 1e300])('has no size when that reads %j', itemSizeBytes => {
    expect(decoded({ itemSizeBytes }).item.sizeBytes).toBeUndefined();
  });
});

describe('the times of an event', () => {
  const start = 1_643_814_000_000_000_000n;

  test.each([
    ['both', {}, start, start + 1_500_000_000n, 1_500_000_000n, []],
    ['both, whatever the duration says', { duration: '00:00:09' }, start, start + 1_500_000_000n, 1_500_000_000n, []],
    ['no end', { endTime: null, duration: '00:00:02' }, start, undefined, 2_000_000_000n, []],
    ['no end and no duration', { endTime: '' }, start, undefined, undefined, []],
    ['no end and no readable duration', { endTime: '', duration: 'long' }, start, undefined, undefined, []],
    ['the end of all times', { endTime: '0001-01-01T00:00:00' }, start, undefined, undefined, []],
    ['no start', { startTime: null }, start + 1_500_000_000n, start + 1_500_000_000n, undefined, []],
    [
      'no start but a duration',
      { startTime: '0001-01-01T00:00:00Z', duration: '00:00:02' },
      start + 1_500_000_000n,
      start + 1_500_000_000n,
      2_000_000_000n,
      [],
    ],
    ['an end before its start', { endTime: '2022-02-02T14:00:00Z' }, start, undefined, 0n, ['negative_duration']],
    [
      'an end ten minutes ahead',
      { startTime: null, endTime: '2022-02-03T00:10:00Z' },
      readAt + 600n * second,
      readAt + 600n * second,
      undefined,
      ['future_time'],
    ],
    [
      'a start 32 days before its end',
      { startTime: '2022-01-01T15:00:01Z' },
      start - 32n * day + second,
      start + 1_500_000_000n,
      undefined,
      ['no_time'],
    ],
    ['a duration of two years', { endTime: null, duration: '730.00:00:00' }, start, undefined, undefined, ['no_time']],
    ['a negative duration', { endTime: null, duration: '-00:00:01' }, start, undefined, 0n, ['negative_duration']],
    [
      'a start without offset',
      { startTime: '2022-02-02T15:00:00' },
      start,
      start + 1_500_000_000n,
      1_500_000_000n,
      ['no_offset'],
    ],
    [
      'an end without offset',
      { endTime: '2022-02-02T15:00:01.5' },
      start,
      start + 1_500_000_000n,
      1_500_000_000n,
      ['no_offset'],
    ],
    [
      'both without offset, the wrong way round',
      { startTime: '2022-02-02T15:00:00', endTime: '2022-02-02T14:59:59' },
      start,
      undefined,
      0n,
      ['no_offset', 'negative_duration'],
    ],
  ] as const)('with %s', (_, over, ...wanted) => {
    const { startedAt, endedAt, duration, anomalies } = decoded(over);
    expect([startedAt, endedAt, duration, anomalies]).toEqual(wanted);
  });
});

describe('a row', () => {
  test.each([
    ['null', null, { order: 9, rejected: 'not_an_object', id: '' }],
    ['a number', 5, { order: 9, rejected: 'not_an_object', id: '' }],
    ['an array', [wire()], { order: 9, rejected: 'not_an_object', id: '' }],
    ['nothing', {}, { order: 9, rejected: 'no_id', id: '' }],
    ['no UUID', wire({ id: '../../x' }), { order: 4, rejected: 'no_id', id: '' }],
    ['no status', wire({ status: null }), { order: 4, rejected: 'no_status', id }],
    ['a status that is no text', wire({ status: 3 }), { order: 4, rejected: 'no_status', id }],
  ])('of %s is rejected', (_, row, rejected) => {
    expect(decodeEvent(row, 9, readAt)).toEqual(rejected);
  });

  test('of any JSON is an event or rejected, and keeps a usable order', () => {
    const likely = fc.record(
      {
        id: fc.oneof(fc.uuid(), fc.jsonValue()),
        status: fc.oneof(fc.constant('Success'), fc.jsonValue()),
        startTime: fc.oneof(fc.constant('2022-02-02T15:00:00Z'), fc.jsonValue()),
        endTime: fc.jsonValue(),
        order: fc.jsonValue(),
        message: fc.jsonValue(),
        itemSizeBytes: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.oneof(fc.jsonValue(), likely), fc.nat(), (row, position) => {
        const { order } = decodeEvent(row, position, readAt);
        expect(Number.isSafeInteger(order) && order >= 0).toBe(true);
      }),
    );
  });
});
